"""Where media bytes lie: a directory or an S3 bucket, under keys nobody can guess."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from shared.errors import NotReadyError

if TYPE_CHECKING:
    from obstore import GetResult  # exists for type checkers only

log = structlog.get_logger()
_KEY_BYTES = 24
_KEY = re.compile(r"[A-Za-z0-9_-]{32}\.jpg", re.ASCII)
_DEADLINE_S = 30.0
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class StoredMedia:
    """An object that is being read."""

    size: int  # bytes
    chunks: AsyncIterator[bytes]


def new_key() -> str:
    """A random key of 192 bits: knowing it is the permission to read."""
    return f"{secrets.token_urlsafe(_KEY_BYTES)}.jpg"


class MediaStore:
    """Media bytes by key."""

    def __init__(self, store: ObjectStore) -> None:
        """Keep media in `store`."""
        self._store = store

    async def put(self, key: str, content: bytes) -> None:
        """Keep `content`; whole or not at all.

        Raises:
            NotReadyError: the storage does not take it now. Answer 503.
        """
        async with _deadline():
            await obstore.put_async(self._store, key, content)

    async def size(self, key: str) -> int | None:
        """Bytes of an object; None if there is none."""
        if not _KEY.fullmatch(key):
            return None
        try:
            async with _deadline():
                return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            return None

    async def read(self, key: str) -> StoredMedia | None:
        """An object's bytes, in pieces; None if there is none."""
        if not _KEY.fullmatch(key):
            return None
        try:
            async with _deadline():
                found = await obstore.get_async(self._store, key)
        except FileNotFoundError:
            return None
        return StoredMedia(size=found.meta["size"], chunks=_pieces(found))

    async def drop(self, key: str) -> None:
        """Remove what no row will ever name; a failure only leaves waste behind."""
        try:
            async with _deadline():
                await obstore.delete_async(self._store, key)
        except (FileNotFoundError, NotReadyError) as error:
            log.warning("media.left_behind", key=key, error=str(error))


def open_media_store(place: str) -> MediaStore:
    """The store of the setting MEDIA_STORE; a directory is made if it is missing.

    Raises:
        NotReadyError: the directory cannot be made. Choose another one, or give this process the right to it.
    """
    if place.startswith("s3://"):
        parts = urlsplit(place)
        return MediaStore(S3Store(parts.hostname, prefix=parts.path.strip("/") or None))
    directory = Path(place)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReadyError(f"MEDIA_STORE {directory} cannot be used: {error.strerror}.") from error
    return MediaStore(LocalStore(directory))


async def _pieces(found: GetResult) -> AsyncIterator[bytes]:
    async for piece in found.stream(min_chunk_size=_CHUNK_BYTES):
        yield bytes(piece)


@asynccontextmanager
async def _deadline() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_DEADLINE_S):
            yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise NotReadyError(f"the media storage failed: {type(error).__name__}") from error
