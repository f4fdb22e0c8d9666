"""Files only one account can read, replaced in one step."""

from __future__ import annotations

import os
from pathlib import Path

from deploy.local.account import Account


def write_private(
    path: Path, text: str, *, mode: int = 0o600, owner: Account | None = None, synced: bool = True
) -> None:
    """Replace `path`, so that a reader finds the old text or the new one; `owner` other than None is given the file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if owner is not None:
            os.fchown(file.fileno(), owner.uid, owner.gid)
        file.write(text)
        file.flush()
        if synced:
            os.fsync(file.fileno())
    temporary.replace(path)
