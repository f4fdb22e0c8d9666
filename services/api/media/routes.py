"""`/v1/media`: pictures and videos, uploaded or fetched."""

from __future__ import annotations

from services.api.call import Call, Stream
from services.api.deps import Deps
from services.api.http import Answer, NoQuery, answer, created, not_found
from services.api.media import store
from services.api.media.add_media import add_media, fetch_media
from services.api.media.contract import FromUrl, Media
from services.api.media.receive_upload import receive_upload
from services.api.routing import get, post
from shared.database import Row
from shared.instagram import fitting_formats, formats_of_kind, media_faults

_SHOWN = ("id", "kind", "mime", "bytes", "width", "height", "duration_ms", "sha256", "created_at")


async def upload_media(call: Call[NoQuery, Stream]) -> Answer[Media]:
    """Keep an uploaded picture or video."""
    deps = call.deps
    async with deps.media_places.take(call.user_id), deps.spool.open() as received:
        convert = await receive_upload(call.request, received)
        return _made(deps, await add_media(deps, received, convert=convert, user_id=call.user_id))


async def fetch_from_url(call: Call[NoQuery, FromUrl]) -> Answer[Media]:
    """Keep the picture or video at a URL."""
    deps, body = call.deps, call.body
    async with deps.media_places.take(call.user_id), deps.spool.open() as received:
        await fetch_media(deps, body.url, received)
        return _made(deps, await add_media(deps, received, convert=body.convert, user_id=call.user_id))


async def get_media(call: Call[NoQuery, None]) -> Answer[Media]:
    """Tell about one picture or video."""
    async with call.connect() as connection:
        row = await store.find(connection, call.id("media"), user_id=call.user_id)
    if row is None:
        raise not_found("media")
    return answer(present(call.deps, row))


def _made(deps: Deps, row: Row) -> Answer[Media]:
    return created(present(deps, row), path="/v1/media")


def present(deps: Deps, row: Row) -> Media:
    """A medium as clients see it."""
    facts = store.facts_of(row)
    formats = fitting_formats(facts)
    problems = {
        str(wanted): [fault.message for fault in media_faults(facts, wanted)]
        for wanted in formats_of_kind(facts.kind)
        if wanted not in formats
    }
    shown = {name: row[name] for name in _SHOWN}
    return Media(**shown, formats=list(formats), problems=problems, url=deps.media_urls.address(row["key"]))


ROUTES = [
    post("/v1/media", upload_media, statuses=(201,), cost=5),
    post("/v1/media/from-url", fetch_from_url, statuses=(201,), cost=5),
    get("/v1/media/{id}", get_media, limited=True),
]
