"""`/media/{key}`: the bytes, for the platform and whoever else was given an address."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from aiohttp import hdrs, web

from services.api.deps import DEPS, Deps
from services.api.http import ProblemError, not_found
from services.api.media.media_store import MediaStore, StoredMedia, type_of_key

_WRITE_DEADLINE_S = 60.0  # for one piece: a reader that stalls holds a file and a connection


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """The file an address opens, and the headers that go with it."""

    key: str
    headers: dict[str, str]


def add_public_media(app: web.Application) -> None:
    """Add the public route: a signature in the address stands for an API key."""
    app.router.add_route(hdrs.METH_GET, "/media/{key}", send_media)
    app.router.add_route(hdrs.METH_HEAD, "/media/{key}", describe_media)


async def send_media(request: web.Request) -> web.StreamResponse:
    """Send the file, or the part that is asked for, in pieces."""
    deps = request.app[DEPS]
    wanted = _open(deps, request)
    part = await _part(deps.media_store, wanted, request)
    found = await deps.media_store.read(wanted.key, part=part)
    if found is None:
        raise not_found("file")
    response = web.StreamResponse(headers=wanted.headers)
    if part is None:
        response.content_length = found.size
    else:
        response.set_status(web.HTTPPartialContent.status_code)
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {part[0]}-{part[1] - 1}/{found.size}"
        response.content_length = part[1] - part[0]
    return await _send(request, response, found)


async def describe_media(request: web.Request) -> web.StreamResponse:
    """Tell type and length."""
    deps = request.app[DEPS]
    wanted = _open(deps, request)
    size = await deps.media_store.size(wanted.key)
    if size is None:
        raise not_found("file")
    response = web.StreamResponse(headers=wanted.headers)
    response.content_length = size
    return response


def _open(deps: Deps, request: web.Request) -> _Wanted:
    key = request.match_info["key"]
    expires, signature = request.query.get("expires", ""), request.query.get("signature", "")
    if not deps.media_urls.opens(key, expires=expires, signature=signature):
        detail = "The address is not one of this system, or its time is over. Ask for the medium again: its url is new."
        raise ProblemError("media_address_expired", detail)
    kind = type_of_key(key)
    if kind is None or kind.mime is None:
        raise not_found("file")
    headers: dict[str, str] = {
        hdrs.CONTENT_TYPE: kind.mime,
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.ETAG: f'"{key}"',  # a key never gets other bytes
        # Nobody between keeps what the address opens for longer than it opens it.
        hdrs.CACHE_CONTROL: f"private, max-age={max(0, int(expires) - int(time.time()))}, immutable",
    }
    return _Wanted(key=key, headers=headers)


async def _part(store: MediaStore, wanted: _Wanted, request: web.Request) -> tuple[int, int] | None:
    """First byte and the one behind the last; None for the whole file."""
    try:
        asked = request.http_range
    except ValueError:
        return None  # what is no single range of bytes may be passed over
    if asked.start is None and asked.stop is None:
        return None
    if request.headers.get(hdrs.IF_RANGE, wanted.headers[hdrs.ETAG]) != wanted.headers[hdrs.ETAG]:
        return None
    size = await store.size(wanted.key)
    if size is None:
        raise not_found("file")
    first, behind, _ = asked.indices(size)
    if first >= behind:
        headers: dict[str, str] = {hdrs.CONTENT_RANGE: f"bytes */{size}"}
        raise ProblemError("range_not_satisfiable", f"The file has {size} bytes.", headers=headers)
    return first, behind


async def _send(request: web.Request, response: web.StreamResponse, found: StoredMedia) -> web.StreamResponse:
    await response.prepare(request)
    async for piece in found.chunks:
        async with asyncio.timeout(_WRITE_DEADLINE_S):
            await response.write(piece)
    await response.write_eof()
    return response
