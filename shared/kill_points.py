"""Named places where a test makes a process die, so that crash tests need no sleeps.

A point does nothing until `install` was called with a directory. Then the process kills itself (SIGKILL) when it passes
a point for which the directory holds a file of that name; the file is removed first, so one file is one death, however
many processes watch the directory.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

_directory: Path | None = None


def install(directory: Path | None) -> None:
    """Arm the points of this process from `directory`; None leaves them off."""
    global _directory  # noqa: PLW0603 - one switch for the process, set once at start
    _directory = directory


def kill_point(name: str) -> None:
    """Die here if a test asked for it."""
    if _directory is None:
        return
    try:
        (_directory / name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
