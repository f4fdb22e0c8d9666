"""Whether a backup is whole: every part has the size and the digest that it had when it was written."""

from __future__ import annotations

from pathlib import Path

from deploy.backup.errors import BackupError
from deploy.backup.manifest import MEDIA_LIST, Manifest, Part
from deploy.backup.part_files import digest_of
from deploy.backup.progress import Progress


def verify_parts(directory: Path, manifest: Manifest, *, progress: Progress) -> None:
    """Read all of a backup once.

    Raises:
        BackupError: something of it is missing or damaged. Take another backup.
    """
    for name, part in manifest.parts.items():
        _require(_digest(directory / name) == part, directory / name)
    if MEDIA_LIST not in manifest.parts:
        return
    with (directory / MEDIA_LIST).open(encoding="ascii") as lines:
        for done, line in enumerate(lines, start=1):
            sha256, _, name = line.rstrip("\n").partition("  ")
            found = _digest(directory / name)
            _require(found is not None and found.sha256 == sha256, directory / name)
            progress("media verified", done, manifest.media_files)


def _digest(path: Path) -> Part | None:
    try:
        return digest_of(path)
    except OSError:
        return None


def _require(holds: bool, path: Path) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise BackupError(f"{path} is missing or damaged: it is not what was backed up. Take another backup.")
