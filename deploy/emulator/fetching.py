from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO

import aiohttp

from deploy.emulator.error_table import FETCH_FAILED, FETCH_TOO_SLOW, IMAGE_TOO_LARGE, VIDEO_UNSUPPORTED
from deploy.emulator.errors import GraphError
from deploy.emulator.formats import MediaRules

_CHUNK = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A medium as it arrived."""

    file: IO[bytes]
    bytes: int
    digest: str  # hexadecimal, of all bytes


@asynccontextmanager
async def fetched(
    session: aiohttp.ClientSession, url: str, *, rules: MediaRules, deadline_s: float
) -> AsyncIterator[Fetched]:
    """Get a medium as the platform would, without login; it is gone when the block ends.

    Redirects are not followed: whether the platform does is not known, and they are a usual cause of its failures.

    Raises:
        GraphError: it is too large or cannot be fetched in time; give it to the client.
    """
    if not (url.isascii() and url.isprintable() and url.startswith(("http://", "https://"))):
        raise GraphError(FETCH_FAILED)
    # A video is looked into by its path: what reads a stream finds less.
    with io.BytesIO() if rules.kind == "image" else tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        try:
            size, digest = await _download(session, url, file=file, rules=rules, deadline_s=deadline_s)
        except TimeoutError as error:
            raise GraphError(FETCH_TOO_SLOW) from error
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise GraphError(FETCH_FAILED) from error
        file.flush()
        file.seek(0)
        yield Fetched(file=file, bytes=size, digest=digest)


async def _download(
    session: aiohttp.ClientSession, url: str, *, file: IO[bytes], rules: MediaRules, deadline_s: float
) -> tuple[int, str]:
    too_large = GraphError(IMAGE_TOO_LARGE if rules.kind == "image" else VIDEO_UNSUPPORTED)
    timeout = aiohttp.ClientTimeout(total=deadline_s)
    async with session.get(url, timeout=timeout, allow_redirects=False) as response:
        if response.status != HTTPStatus.OK or response.content_type == "text/html":
            raise GraphError(FETCH_FAILED)
        if (response.content_length or 0) > rules.bytes_max:
            raise too_large
        size, digest = 0, hashlib.sha256()
        async for chunk in response.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > rules.bytes_max:
                raise too_large
            digest.update(chunk)
            file.write(chunk)
        return size, digest.hexdigest()
