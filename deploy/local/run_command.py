"""Runs one command to its end, as an account, within a deadline."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.account import Account
from deploy.local.child import Child, spawn
from shared.errors import InstaDistroError

_LAST_LINES = 20
_READ_REST_S = 1.0


class CommandFailedError(InstaDistroError):
    """A command needed for preparing a server failed; the text carries its last output."""


async def run_command(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    account: Account | None,
    directory: Path,
    deadline_s: float,
) -> None:
    """Run `command` and wait for it.

    Raises:
        CommandFailedError: it did not end with status 0 within `deadline_s`.
    """
    try:
        child = spawn(command, environment=environment, directory=directory, account=account)
    except OSError as error:
        raise CommandFailedError(f"{command[0]} cannot be started: {error}") from error
    last: deque[str] = deque(maxlen=_LAST_LINES)
    reader = asyncio.create_task(_read(child, last))
    try:
        async with asyncio.timeout(deadline_s):
            status = await child.wait()
        await asyncio.wait([reader], timeout=_READ_REST_S)
    except TimeoutError as error:
        raise CommandFailedError(f"{command[0]} did not end within {deadline_s:g} s") from error
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()
        reader.cancel()
    if status != 0:
        lines = "\n".join(f"  {line}" for line in last)
        raise CommandFailedError(f"{command[0]} failed with status {status}:\n{lines}")


async def _read(child: Child, last: deque[str]) -> None:
    async for line in child.lines():
        last.append(line)
