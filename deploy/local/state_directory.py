"""Where a user's system keeps its state: outside the checkout, by the XDG rules, or /var/lib for root."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from deploy.local.account import StateDirectoryError

STATE_VARIABLE = "INSTADISTRO_STATE"
_ROOT_STATE = Path("/var/lib/instadistro")
_FALLBACK = "/var/tmp/instadistro-{uid}"  # noqa: S108 - used only if owner and mode prove it to be this user's alone


def state_directory(environ: Mapping[str, str]) -> Path:
    """The state directory of this user and environment, absolute; it need not exist yet.

    Raises:
        StateDirectoryError: there is no safe place for it; the text says how to name one.
    """
    chosen = environ.get(STATE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return _ROOT_STATE
    homes = [environ.get("HOME") or "", _passwd_home()]
    candidates = [environ.get("XDG_STATE_HOME") or "", *(f"{home}/.local/state" for home in homes if home)]
    for candidate in candidates:
        # The XDG specification has relative paths ignored.
        if Path(candidate).is_absolute() and _can_make(Path(candidate)):
            return Path(candidate) / "instadistro"
    return _homeless_directory()


def _passwd_home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""


def _can_make(directory: Path) -> bool:
    try:
        existing = next(step for step in (directory, *directory.parents) if step.exists())
        return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    except PermissionError:  # the HOME of somebody else, as sudo may leave it
        return False


def _homeless_directory() -> Path:
    """For a user without a usable home: one in /var/tmp, which keeps it over a restart, if it is surely this user's."""
    directory = Path(_FALLBACK.format(uid=os.geteuid()))
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise StateDirectoryError(
            f"There is no home directory to keep state in, and {directory} is not this user's alone. "
            f"Set {STATE_VARIABLE} to a directory of yours."
        )
    return directory
