"""Named places where a test makes a process die, so that crash tests need no sleeps.

A point does nothing until `install` was called with a directory. Then the process kills itself (SIGKILL) when it passes
a point for which the directory holds a file of that name; the file is removed first, so one file is one death, however
many processes watch the directory. A file that holds a text is meant for the job whose subject that is, and for no
other.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from structlog.contextvars import get_contextvars

_directory: Path | None = None


def install(directory: Path | None) -> None:
    """Arm the points of this process from `directory`; None leaves them off."""
    global _directory  # noqa: PLW0603 - one switch for the process, set once at start
    _directory = directory


def kill_point(name: str) -> None:
    """Die here if a test asked for it."""
    if _directory is None:
        return
    file = _directory / name
    try:
        meant = file.read_text(encoding="utf-8")
        # Log lines carry the subject of the job they belong to; so does whatever else runs for it.
        if meant and meant != get_contextvars().get("subject"):
            return
        file.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
