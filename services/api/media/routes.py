"""`/v1/media`: pictures, uploaded or fetched."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.api.connections import connect
from services.api.deps import DEPS, Deps
from services.api.http import Body, Caller, answer, created, not_found, path_id, read_json
from services.api.media import store
from services.api.media.add_media import add_media, fetch_media
from services.api.media.inspect_image import IMAGE_BYTES_MAX
from services.api.media.receive_upload import receive_file
from services.api.routing import get, post
from shared.database import Row


class FromUrl(Body, frozen=True, kw_only=True):
    """Where to fetch a picture."""

    url: str


async def upload_media(request: web.Request, caller: Caller) -> web.Response:
    """Keep an uploaded picture."""
    deps = request.app[DEPS]
    async with deps.upload_places.take(caller.user_id):
        content = await receive_file(request, limit=IMAGE_BYTES_MAX, code="media_too_large")
        return _made(deps, await add_media(deps, content, user_id=caller.user_id))


async def fetch_from_url(request: web.Request, caller: Caller) -> web.Response:
    """Keep the picture at a URL."""
    deps = request.app[DEPS]
    body = await read_json(request, FromUrl)
    async with deps.upload_places.take(caller.user_id):
        content = await fetch_media(deps, body.url)
        return _made(deps, await add_media(deps, content, user_id=caller.user_id))


async def get_media(request: web.Request, caller: Caller) -> web.Response:
    """Tell about one picture."""
    deps = request.app[DEPS]
    media_id = path_id(request, "media")
    async with connect(deps.pool) as connection:
        row = await store.find(connection, media_id, user_id=caller.user_id)
    if row is None:
        raise not_found("media")
    return answer(_present(deps, row))


def _made(deps: Deps, row: Row) -> web.Response:
    return created(_present(deps, row), path="/v1/media")


def _present(deps: Deps, row: Row) -> dict[str, Any]:
    shown = ("id", "kind", "mime", "bytes", "width", "height", "sha256", "created_at")
    return {name: row[name] for name in shown} | {"url": f"{deps.settings.public_url}/media/{row['key']}"}


ROUTES = [
    post("/v1/media", upload_media),
    post("/v1/media/from-url", fetch_from_url),
    get("/v1/media/{id}", get_media),
]
