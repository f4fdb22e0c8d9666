"""Files of a backup: written with their digest, readable by their owner alone, on disk when they are said to be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.backup.manifest import Part

_CHUNK_BYTES = 1 << 20


class PartFile:
    """A file that is being written."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, piece: bytes) -> None:
        """Append."""
        self._file.write(piece)
        self._digest.update(piece)
        self.bytes += len(piece)

    @property
    def part(self) -> Part:
        """What was written so far."""
        return Part(bytes=self.bytes, sha256=self._digest.hexdigest())

    def close(self) -> None:
        """Bring it to disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


@contextmanager
def new_part(path: Path) -> Iterator[PartFile]:
    """A new file, closed at the end."""
    file = PartFile(path)
    try:
        yield file
    finally:
        file.close()


def copy_file(source: Path, target: Path) -> Part:
    """Copy a file into a new one; what is there already is an error. In pieces, so however large it is."""
    with source.open("rb") as reading, new_part(target) as writing:
        while piece := reading.read(_CHUNK_BYTES):
            writing.write(piece)
    return writing.part


def digest_of(path: Path) -> Part:
    """Size and digest of a file that is there."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
            size += len(piece)
    return Part(bytes=size, sha256=digest.hexdigest())


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
