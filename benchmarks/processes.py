"""Processes that a benchmark starts: each answers in JSON lines and ends when its standard input does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from shared.errors import InstaDistroError

CHECKOUT = Path(__file__).resolve().parents[1]
_END_DEADLINE_S = 60.0
_LINE_BYTES_MAX = 2**26  # an answer may hold every single wait of a run
_LAST_LINES = 12


class BenchmarkError(InstaDistroError):
    """A benchmark could not be run; the text says which process failed and what it said. There are no figures of it."""


class Answering:
    """A running process of the benchmark."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, said: deque[str]) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._said = said  # its last lines on standard error

    async def answer(self, *, deadline_s: float) -> dict[str, Any]:
        """Its next answer.

        Raises:
            BenchmarkError: none came within `deadline_s`, or the process ended first.
        """
        assert self._process.stdout is not None  # noqa: S101 - `answering` opens it
        try:
            async with asyncio.timeout(deadline_s):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise self._failed(f"did not answer within {deadline_s:g} s") from None
        if not line:
            raise self._failed("ended without an answer")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def end(self) -> None:
        """Close its input, which tells it to end, and wait until it and its children have."""
        assert self._process.stdin is not None  # noqa: S101 - `answering` opens it
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_DEADLINE_S):
                # What it still says is nobody's business any more, but must not block it.
                while await self._read_on():
                    pass
                await self._process.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            await self._process.wait()

    async def _read_on(self) -> bytes:
        return b"" if self._process.stdout is None else await self._process.stdout.read(2**16)

    def _failed(self, how: str) -> BenchmarkError:
        last = "\n".join(f"  {line}" for line in self._said)
        return BenchmarkError(f"{self.name} {how}." + (f" It said:\n{last}" if last else ""))


@asynccontextmanager
async def answering(
    name: str, module: str, *arguments: str, python: Path | None = None, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Answering]:
    """Run a module of this checkout while the context lasts; afterwards it and all its children have ended.

    Args:
        name: for messages.
        module: run as `python -m`.
        *arguments: for it.
        python: of another environment; None is this one's.
        environment: added to this process's own.
    """
    command: Sequence[str] = [str(python or sys.executable), "-P", "-m", module, *arguments]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a terminal's Ctrl-C is for the harness, which ends its processes in good order
        limit=_LINE_BYTES_MAX,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **(environment or {})},
    )
    said: deque[str] = deque(maxlen=_LAST_LINES)
    listening = asyncio.create_task(_listen(process, said))
    running = Answering(name, process, said)
    try:
        yield running
    finally:
        await running.end()
        await listening


async def _listen(process: asyncio.subprocess.Process, said: deque[str]) -> None:
    if process.stderr is not None:
        async for line in process.stderr:
            said.append(line.decode(errors="replace").rstrip())
