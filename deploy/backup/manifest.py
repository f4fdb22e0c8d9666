"""What a backup is: when it was made, of what, and how each of its parts is known to be whole."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from deploy.backup.errors import BackupError

#: Names of the parts in a backup's directory.
MANIFEST = "manifest.json"
DATABASE = "database.dump"
MEDIA_LIST = "media.sha256"
MEDIA = "media"
SECRETS = "secrets.json"
#: Of these tables a backup says how many rows it holds, and a restore counts them again.
COUNTED = (
    "users",
    "accounts",
    "posts",
    "media",
    "publications",
    "publications_archive",
    "schedules",
    "events",
    "outbox",
)
_FORMAT = 1


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup."""

    bytes: int
    sha256: str


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One secret as the database keeps it: it proves that a key of the ring is the right one."""

    key_id: str
    user_id: str
    row_id: str
    column: str
    sealed: bytes


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Written last: a directory with it is a whole backup."""

    format: int = _FORMAT
    product: str  # the version that made it
    made_at: datetime  # of the database's snapshot, by its clock
    postgres: int  # the server's major version
    migrations: dict[str, str]  # name to digest
    rows: dict[str, int]  # of the tables that tell most
    token_keys: dict[str, int]  # secrets under each key of TOKEN_KEYS
    samples: list[Sample]
    fingerprints: dict[str, str]  # of the secrets that no row can prove
    media_store: str  # "directory" or "s3"
    media_files: int
    media_bytes: int
    media_missing: int  # named by the database, and not in the directory any more
    parts: dict[str, Part]


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write it, for its owner's eyes."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    descriptor = os.open(directory / MANIFEST, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        BackupError: the directory is no backup, or one that a newer version made.
    """
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except OSError as error:
        raise BackupError(
            f"{directory} is no backup: {MANIFEST} cannot be read ({error.strerror}). Name the directory that "
            "`instadistro backup` made."
        ) from error
    except msgspec.MsgspecError as error:
        raise BackupError(f"{directory / MANIFEST} is damaged ({error}). Take another backup.") from error
    if manifest.format != _FORMAT:
        raise BackupError(f"{directory} was made by a newer version ({manifest.product}). Restore it with that one.")
    return manifest
