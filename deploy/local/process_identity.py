"""Which process a pid meant: a pid alone may belong to a stranger by now."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path

_STARTED_FIELD = 19  # of /proc/PID/stat, counted after the name: clock ticks since boot


def birth(pid: int) -> str | None:
    """When process `pid` was born, exact and untouched by changes of the clock; None if it is gone or only a zombie.

    Two processes with the same pid and birth are the same process.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name may hold spaces and brackets; what follows the last bracket is regular.
    after_name = text.rpartition(")")[2].split()
    return None if after_name[0] in "ZX" else f"{_boot()}:{after_name[_STARTED_FIELD]}"


def send_signal(pid: int, born: str, number: signal.Signals) -> bool:
    """Signal the process that was born as `born`, never another with its pid; False if it is gone.

    Raises:
        PermissionError: it belongs to another user.
    """
    try:
        # The descriptor pins the process: once its birth is compared, the pid can no longer come to mean another one.
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if birth(pid) != born:
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)
        return True
    finally:
        os.close(descriptor)


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
