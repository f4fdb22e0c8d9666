"""Where media bytes lie: a directory or an S3 bucket, under keys nobody can guess."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from services.api.media.disk_full import is_disk_full, storage_full
from services.api.media.file_types import KEPT_TYPES, FileType
from shared.errors import NotReadyError

if TYPE_CHECKING:
    from obstore import GetResult  # exists for type checkers only
    from obstore.store import ClientConfig, RetryConfig

log = structlog.get_logger()
_KEY_BYTES = 24
_KEY = re.compile(r"[A-Za-z0-9_-]{32}(?P<suffix>\.(?:jpg|mp4|mov))", re.ASCII)
_PART = re.compile(_KEY.pattern + r"#\d+", re.ASCII)  # what the library's writes into a directory are called meanwhile
_PART_LIFE_S = 6 * 3600
_DEADLINE_S = 30.0
_PUT_RATE_MIN = 512 * 1024  # bytes per second
_PUTS_AT_ONCE = 8
_PUT_PART_BYTES = 5 * 1024 * 1024  # the least that S3 takes as a part
_PUT_PARTS_AT_ONCE = 2
_CHUNK_BYTES = 256 * 1024
_S3_CLIENT: ClientConfig = {
    "allow_http": True,  # as the operator's endpoint says
    "connect_timeout": "5s",
    "read_timeout": "30s",
    "timeout": "2h",  # a read goes on as long as its reader takes pieces, each with a deadline of its own
}
_S3_RETRY: RetryConfig = {"max_retries": 3}


@dataclass(frozen=True, kw_only=True)
class StoredMedia:
    """An object that is being read, or a part of it."""

    size: int  # bytes of the whole object
    chunks: AsyncIterator[bytes]


def new_key(kind: FileType) -> str:
    """A random key of 192 bits, for a file of one of the kept types."""
    return f"{secrets.token_urlsafe(_KEY_BYTES)}{kind.suffix}"


def type_of_key(key: str) -> FileType | None:
    """The type of the file under a key; None if no key looks like it."""
    found = _KEY.fullmatch(key)
    return KEPT_TYPES[found["suffix"]] if found else None


class MediaStore:
    """Media bytes by key."""

    def __init__(self, store: ObjectStore) -> None:
        """Keep media in `store`."""
        self._store = store
        self._puts = asyncio.Semaphore(_PUTS_AT_ONCE)

    async def put(self, key: str, file: BinaryIO, *, size: int) -> None:
        """Keep the `size` bytes of an open file; whole or not at all.

        Raises:
            NotReadyError: the storage does not take it now. Answer 503.
            ProblemError: it is full (`storage_full`).
        """
        await asyncio.to_thread(file.seek, 0)
        async with self._puts, _deadline(_DEADLINE_S + size / _PUT_RATE_MIN):
            await obstore.put_async(
                self._store, key, file, chunk_size=_PUT_PART_BYTES, max_concurrency=_PUT_PARTS_AT_ONCE
            )

    async def size(self, key: str) -> int | None:
        """Bytes of an object; None if there is none."""
        if type_of_key(key) is None:
            return None
        try:
            async with _deadline():
                return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            return None

    async def read(self, key: str, *, part: tuple[int, int] | None = None) -> StoredMedia | None:
        """An object's bytes, in pieces; None if there is none.

        Args:
            key: whose bytes.
            part: the first byte and the one behind the last, both of the object; else all.
        """
        if type_of_key(key) is None:
            return None
        try:
            async with _deadline():
                found = await obstore.get_async(self._store, key, options={"range": part} if part else None)
        except FileNotFoundError:
            return None
        return StoredMedia(size=found.meta["size"], chunks=_pieces(found))

    async def drop(self, key: str) -> bool:
        """Remove what no row names any more; false if it failed, which only leaves waste behind."""
        try:
            async with _deadline():
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return True
        except NotReadyError as error:
            log.warning("media.left_behind", key=key, error=str(error))
            return False
        return True


def open_media_store(place: str) -> MediaStore:
    """The store of the setting MEDIA_STORE; a directory is made if it is missing.

    Raises:
        NotReadyError: the directory cannot be made. Choose another one, or give this process the right to it.
    """
    if place.startswith("s3://"):
        parts = urlsplit(place)
        prefix = parts.path.strip("/") or None
        return MediaStore(S3Store(parts.hostname, prefix=prefix, client_options=_S3_CLIENT, retry_config=_S3_RETRY))
    directory = Path(place)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _remove_old_parts(directory)
    except OSError as error:
        raise NotReadyError(f"MEDIA_STORE {directory} cannot be used: {error.strerror}.") from error
    return MediaStore(LocalStore(directory))


def _remove_old_parts(directory: Path) -> None:
    """Remove what killed processes left half written, but nothing that another process may be writing now."""
    for path in directory.iterdir():
        if _PART.fullmatch(path.name) and path.stat().st_mtime < time.time() - _PART_LIFE_S:
            path.unlink(missing_ok=True)


async def _pieces(found: GetResult) -> AsyncIterator[bytes]:
    stream = aiter(found.stream(min_chunk_size=_CHUNK_BYTES))
    while True:
        async with _deadline():
            piece = await anext(stream, None)
        if piece is None:
            return
        yield bytes(piece)


@asynccontextmanager
async def _deadline(seconds: float = _DEADLINE_S) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        if is_disk_full(error):
            raise storage_full() from error
        raise NotReadyError(f"the media storage failed: {type(error).__name__}") from error
