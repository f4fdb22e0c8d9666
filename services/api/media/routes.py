"""`/v1/media`: pictures and videos, uploaded or fetched."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.api.connections import connect
from services.api.deps import DEPS, Deps
from services.api.http import Body, Caller, answer, created, not_found, path_id, read_json
from services.api.media import store
from services.api.media.add_media import add_media, fetch_media
from services.api.media.receive_upload import receive_upload
from services.api.routing import get, post
from shared.database import Row
from shared.instagram import fitting_formats, formats_of_kind, media_faults


class FromUrl(Body, frozen=True, kw_only=True):
    """Where to fetch a picture or video."""

    url: str
    convert: bool = False


async def upload_media(request: web.Request, caller: Caller) -> web.Response:
    """Keep an uploaded picture or video."""
    deps = request.app[DEPS]
    async with deps.media_places.take(caller.user_id), deps.spool.open() as received:
        convert = await receive_upload(request, received)
        return _made(deps, await add_media(deps, received, convert=convert, user_id=caller.user_id))


async def fetch_from_url(request: web.Request, caller: Caller) -> web.Response:
    """Keep the picture or video at a URL."""
    deps = request.app[DEPS]
    body = await read_json(request, FromUrl)
    async with deps.media_places.take(caller.user_id), deps.spool.open() as received:
        await fetch_media(deps, body.url, received)
        return _made(deps, await add_media(deps, received, convert=body.convert, user_id=caller.user_id))


async def get_media(request: web.Request, caller: Caller) -> web.Response:
    """Tell about one picture or video."""
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
    shown = ("id", "kind", "mime", "bytes", "width", "height", "duration_ms", "sha256", "created_at")
    facts = store.facts_of(row)
    formats = fitting_formats(facts)
    problems = {
        wanted: [fault.message for fault in media_faults(facts, wanted)]
        for wanted in formats_of_kind(facts.kind)
        if wanted not in formats
    }
    told = {"formats": formats, "problems": problems, "url": deps.media_urls.address(row["key"])}
    return {name: row[name] for name in shown} | told


ROUTES = [
    post("/v1/media", upload_media),
    post("/v1/media/from-url", fetch_from_url),
    get("/v1/media/{id}", get_media),
]
