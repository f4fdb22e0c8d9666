"""`/v1/media`: pictures and videos, uploaded or fetched."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from services.api.call import Call, Stream
from services.api.http import Answer, NoQuery, Order, Page, RemovalQuery, answer, answer_page, fetch_page, not_found
from services.api.media import store
from services.api.media.add_media import add_media, fetch_media
from services.api.media.contract import FromUrl, Media, MediaQuery, Upload
from services.api.media.drop_removed import drop_removed
from services.api.media.present_media import present, without_address
from services.api.media.receive_upload import receive_upload
from services.api.media.remove_media import remove_media
from services.api.publications.contract import Removed
from services.api.routing import delete, get, post

_REFUSALS = ("media_too_large", "media_unsupported", "media_invalid", "not_ready", "storage_full")


async def list_media(call: Call[MediaQuery, None]) -> Answer[Page[Media]]:
    """List pictures and videos."""
    query = call.query
    sql, args = store.list_query(call.user_id, kind=query.kind, sha256=query.sha256)
    shown = partial(present, urls=call.deps.media_urls)
    async with call.connect() as connection:
        page = await fetch_page(connection, sql, args, page=call.page, present=shown, order=Order.of(query.sort))
    return answer_page(call.request, page)


async def upload_media(call: Call[NoQuery, Stream]) -> Answer[Media]:
    """Keep an uploaded picture or video."""
    deps = call.deps
    async with deps.media_places.take(call.user_id), deps.spool.open() as received:
        convert = await receive_upload(call.request, received)
        known = await call.including(f"{received.sha256} {convert}".encode())
        return await add_media(known, received, convert=convert)


async def fetch_from_url(call: Call[NoQuery, FromUrl]) -> Answer[Media]:
    """Keep the picture or video at a URL."""
    deps, body = call.deps, call.body
    async with deps.media_places.take(call.user_id), deps.spool.open() as received:
        await fetch_media(deps, body.url, received)
        return await add_media(call, received, convert=body.convert)


async def get_media(call: Call[NoQuery, None]) -> Answer[Media]:
    """Tell about one picture or video."""
    async with call.connect() as connection:
        row = await store.find(connection, call.id("media"), user_id=call.user_id)
    if row is None:
        raise not_found("media")
    return answer(present(row, urls=call.deps.media_urls))


async def remove(call: Call[RemovalQuery, None]) -> Answer[Removed]:
    """Remove a picture or video, and its file."""
    media_id: UUID = call.id("media")
    async with call.begin() as tx:
        row = await store.lock(tx, media_id, user_id=call.user_id)
        if row is None:
            raise not_found("media")
        media = present(row, urls=call.deps.media_urls)
        call.require_match(answer(media))
        removed = await remove_media(tx, media_id, cancel=call.query.cancel, caller=call.caller)
        before = without_address(media)
        await call.audit(tx, "media.removed", ("media", media_id), before=before, after=removed)
    await drop_removed(call.deps, {media_id: row["key"]})
    return answer(removed)


ROUTES = [
    get("/v1/media", list_media, limited=True),
    post(
        "/v1/media",
        upload_media,
        statuses=(201,),
        limited=True,
        cost=5,
        problems=_REFUSALS,
        consumes={"multipart/form-data": Upload},
    ),
    post(
        "/v1/media/from-url",
        fetch_from_url,
        statuses=(201,),
        limited=True,
        cost=5,
        problems=("media_unreachable", "media_url_forbidden", *_REFUSALS),
    ),
    get("/v1/media/{id}", get_media, limited=True),
    delete("/v1/media/{id}", remove, statuses=(200,), limited=True, problems=("in_use",)),
]
