"""Ends processes of a supervisor that was killed: no children of this process, so found by pid and birth."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence

from deploy.local.process_identity import birth, send_signal

_LOOK_EVERY_S = 0.05
_KILL_DEADLINE_S = 10.0


async def end_orphans(orphans: Sequence[tuple[str, int, str]], *, polite_s: float) -> list[str]:
    """End processes (name, pid, birth) whose supervisor is gone, the last started first.

    SIGTERM first, SIGKILL after `polite_s`. PostgreSQL gets SIGINT: its SIGTERM would wait for clients to leave.

    Returns:
        The names of those that were ended.

    Raises:
        PermissionError: one belongs to another user.
    """
    ended = []
    for name, pid, born in reversed(orphans):
        number = signal.SIGINT if name == "postgres" else signal.SIGTERM
        if not send_signal(pid, born, number):
            continue
        if not await _gone(pid, born, polite_s):
            send_signal(pid, born, signal.SIGKILL)
            await _gone(pid, born, _KILL_DEADLINE_S)
        ended.append(name)
    return ended


async def _gone(pid: int, born: str, deadline_s: float) -> bool:
    loop = asyncio.get_running_loop()
    until = loop.time() + deadline_s
    while birth(pid) == born:  # nobody tells about the end of a process that is no child
        if loop.time() >= until:
            return False
        await asyncio.sleep(_LOOK_EVERY_S)
    return True
