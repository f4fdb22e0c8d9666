"""Files on their way in: on disk without a name, so that nothing of them outlives this process."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from services.api.http import ProblemError, too_large
from services.api.media.disk_full import is_disk_full, storage_full
from services.api.media.file_types import HEAD_BYTES, FileType, recognise
from shared.errors import NotReadyError

_MB = 1024 * 1024
#: Most bytes of a file that is no video. The platform takes smaller pictures; larger ones can be converted.
PICTURE_BYTES_MAX = 32 * _MB
VIDEO_BYTES_MAX = 300 * _MB
#: Most bytes of all files together that are on their way in.
SPOOL_BYTES_MAX = 4096 * _MB
_RETRY_AFTER_S = "30"


class SpooledFile:
    """A file that is being received, or was."""

    def __init__(self, file: BinaryIO, spool: Spool) -> None:
        """Receive into `file`, an empty one."""
        self.file = file
        self.size = 0  # bytes
        self.reserved = 0  # bytes of the spool
        self._spool = spool
        self._head = b""
        self._hash = hashlib.sha256()

    @property
    def type(self) -> FileType:
        """What it is, as far as its first bytes tell."""
        return recognise(self._head)

    @property
    def sha256(self) -> str:
        """Of all that was written, hexadecimal."""
        return self._hash.hexdigest()

    async def write(self, chunk: bytes) -> None:
        """Add a piece.

        Raises:
            ProblemError: the file is too large for what it is (`media_too_large`), the disk is full (`storage_full`),
                or too much is on its way in (`not_ready`).
            NotReadyError: the disk fails. Answer 503.
        """
        self._head += chunk[: HEAD_BYTES - len(self._head)]
        limit = VIDEO_BYTES_MAX if self.type.kind == "video" else PICTURE_BYTES_MAX
        if self.size + len(chunk) > limit:
            raise too_large(limit, "media_too_large")
        self._spool.reserve(self, len(chunk))
        try:
            await asyncio.to_thread(self._write, chunk)
        except OSError as error:
            raise _disk_problem(error) from error

    async def take_over(self) -> None:
        """Learn what another process wrote into `file`. Raises as `write` where there is no room for it."""
        await asyncio.to_thread(self._read_all)
        self._spool.reserve(self, self.size)

    def _write(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            left = left[self.file.write(left) :]
        self._hash.update(chunk)
        self.size += len(chunk)

    def _read_all(self) -> None:
        self.file.seek(0)
        self._head = self.file.read(HEAD_BYTES)
        self.file.seek(0)
        self._hash = hashlib.sha256()
        self.size = 0
        while chunk := self.file.read(_MB):
            self._hash.update(chunk)
            self.size += len(chunk)


class Spool:
    """Room for such files on one disk."""

    def __init__(self, directory: Path) -> None:
        """Use the disk of `directory`."""
        self._directory = directory
        self._reserved = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SpooledFile]:
        """An empty file, gone at the end; also if this process is killed, for it never has a name.

        Raises:
            ProblemError: the disk is full (`storage_full`).
            NotReadyError: the disk fails. Answer 503.
        """
        try:
            file = await asyncio.to_thread(tempfile.TemporaryFile, dir=self._directory, buffering=0)
        except OSError as error:
            raise _disk_problem(error) from error
        spooled = SpooledFile(file, self)  # type: ignore[arg-type]  # unbuffered, it is a file of bytes all the same
        try:
            yield spooled
        finally:
            self._reserved -= spooled.reserved
            file.close()

    def reserve(self, spooled: SpooledFile, count: int) -> None:
        """Count bytes as used by a file, until it is gone.

        Raises:
            ProblemError: there is no room for them now (`not_ready`).
        """
        if self._reserved + count > SPOOL_BYTES_MAX:
            detail = "Too many files are being received at this moment; try again in half a minute."
            raise ProblemError("not_ready", detail, headers={"Retry-After": _RETRY_AFTER_S})
        self._reserved += count
        spooled.reserved += count


def spool_directory(media_store: str) -> Path:
    """Where files are received: beside those of a store that is a directory, else where TMPDIR says."""
    return Path(tempfile.gettempdir() if media_store.startswith("s3://") else media_store)


def _disk_problem(error: OSError) -> Exception:
    if is_disk_full(error):
        return storage_full()
    return NotReadyError(f"a file cannot be received on disk: {error.strerror}")
