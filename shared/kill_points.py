"""Named places where a test makes a process die or stand still, so that fault tests need no sleeps.

A point does nothing until `install` was called with a directory. Then the process kills itself (SIGKILL) when it passes
a point for which the directory holds a file of that name; the file is removed first, so one file is one death, however
many processes watch the directory. With `.freeze` after its name it stops (SIGSTOP) until somebody continues it. A file
that holds a text is meant for the job whose subject that is, and for no other.
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
    """Die or freeze here if a test asked for it."""
    if _directory is None:
        return
    if _is_armed(_directory / name):
        os.kill(os.getpid(), signal.SIGKILL)
    if _is_armed(_directory / f"{name}.freeze"):
        os.kill(os.getpid(), signal.SIGSTOP)


def _is_armed(file: Path) -> bool:
    try:
        meant = file.read_text(encoding="utf-8")
        # Log lines carry the subject of the job they belong to; so does whatever else runs for it.
        if meant and meant != get_contextvars().get("subject"):
            return False
        file.unlink()
    except FileNotFoundError:
        return False
    return True
