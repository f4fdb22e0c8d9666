"""`/media/{key}`: the bytes, for the platform and whoever else was given the key."""

from __future__ import annotations

from aiohttp import hdrs, web

from services.api.deps import DEPS
from services.api.http import not_found

_HEADERS = {
    hdrs.CONTENT_TYPE: "image/jpeg",
    hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable",  # a key never gets other bytes
}


def add_public_media(app: web.Application) -> None:
    """Add the public route: no key of a tenant is asked for."""
    app.router.add_route(hdrs.METH_GET, "/media/{key}", send_media)
    app.router.add_route(hdrs.METH_HEAD, "/media/{key}", describe_media)


async def send_media(request: web.Request) -> web.StreamResponse:
    """Send the file in pieces."""
    found = await request.app[DEPS].media_store.read(request.match_info["key"])
    if found is None:
        raise not_found("file")
    response = web.StreamResponse(headers=_HEADERS)
    response.content_length = found.size
    await response.prepare(request)
    async for piece in found.chunks:
        await response.write(piece)
    await response.write_eof()
    return response


async def describe_media(request: web.Request) -> web.StreamResponse:
    """Tell type and length."""
    size = await request.app[DEPS].media_store.size(request.match_info["key"])
    if size is None:
        raise not_found("file")
    response = web.StreamResponse(headers=_HEADERS)
    response.content_length = size
    return response
