"""The account the three servers run as: the caller, or an unprivileged one when the caller is root."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from shared.errors import InstaDistroError

_UNPRIVILEGED = ("postgres", "nobody")


class StateDirectoryError(InstaDistroError):
    """The state directory cannot be used. The text says what is wrong with it; INSTADISTRO_STATE names another."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who owns the servers' data and runs their processes."""

    name: str
    uid: int
    gid: int
    switch: bool  # processes must change to this account: the caller is root


def server_account() -> Account:
    """The account for servers: PostgreSQL refuses to run as root, so root lends them `postgres`, else `nobody`."""
    uid = os.geteuid()
    if uid != 0:
        return Account(name=_name(uid), uid=uid, gid=os.getegid(), switch=False)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
    raise StateDirectoryError(
        "The servers cannot run as root, and this machine has neither an account postgres nor nobody. "
        "Create one (useradd --system postgres), or run this as an ordinary user."
    )


def check_enterable(directory: Path, account: Account) -> None:
    """Make sure that `account` can reach `directory`, or as much of the way to it as exists.

    Raises:
        StateDirectoryError: a directory on the way is closed to it; the text names that one.
    """
    for step in (*reversed(directory.parents), directory):
        if not step.exists():
            return
        found = step.stat()
        if account.uid == found.st_uid:
            open_to_it = found.st_mode & stat.S_IXUSR
        elif account.gid == found.st_gid:
            open_to_it = found.st_mode & stat.S_IXGRP
        else:
            open_to_it = found.st_mode & stat.S_IXOTH
        if not open_to_it and account.uid != 0:
            raise StateDirectoryError(
                f"The servers run as {account.name}, which cannot enter {step} "
                f"on the way to the state directory {directory}. "
                "Set INSTADISTRO_STATE to a directory that every account can enter, such as one under /var/lib."
            )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
