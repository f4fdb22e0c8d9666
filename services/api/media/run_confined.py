"""Starting the processes that look into files of strangers: without secrets in their environment, and not for long."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any, BinaryIO

import msgspec
import structlog

from shared.errors import NotReadyError

log = structlog.get_logger()
_DEADLINE_S = 30.0
_ANSWER_BYTES_MAX = 256 * 1024


class ConfinedError(Exception):
    """The process ended without an answer: the file needs more than it may, or breaks what reads it."""


async def run_confined(module: str, source: BinaryIO, *, target: BinaryIO | None = None) -> Any:
    """Run `module` on a file.

    Args:
        module: a module's full name. It confines itself, reads standard input, and writes one JSON text to standard
            output.
        source: an open file, which it finds as standard input.
        target: an open file for whatever it makes; its number is its one argument.

    Raises:
        ConfinedError: it gave no answer, within its limits. Call the file damaged.
        NotReadyError: no process could be started. Answer 503.
    """
    kept = () if target is None else (target.fileno(),)
    command = (sys.executable, "-I", "-m", module, *map(str, kept))
    source.seek(0)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=kept,
            env={"LC_ALL": "C.UTF-8"},
            limit=_ANSWER_BYTES_MAX,
        )
    except OSError as error:
        raise NotReadyError(f"no process can be started to look into a file: {error.strerror}") from error
    try:
        return await _answer_of(process)
    except (TimeoutError, EOFError, msgspec.DecodeError) as error:
        log.warning("media.not_examined", module=module, error=type(error).__name__, status=process.returncode)
        raise ConfinedError(f"{module} gave no answer") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _answer_of(process: asyncio.subprocess.Process) -> Any:
    if process.stdout is None:
        raise EOFError
    async with asyncio.timeout(_DEADLINE_S):
        answer = await process.stdout.read(_ANSWER_BYTES_MAX)
        if await process.wait() != 0:
            raise EOFError
    return msgspec.json.decode(answer)
