"""Adding media: look into the file, keep its bytes, then write the row that names them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog

from services.api.call import Call
from services.api.connections import connect
from services.api.deps import Deps
from services.api.http import Answer, ProblemError, created
from services.api.media import store
from services.api.media.contract import Media
from services.api.media.media_store import new_key
from services.api.media.present_media import present, without_address
from services.api.media.spool import VIDEO_BYTES_MAX, SpooledFile
from shared.errors import NotReadyError
from shared.security import BodyTooLargeError, FetchFailedError, UnsafeUrlError, fetch_guarded

log = structlog.get_logger()
_FETCH_DEADLINE_S = 300.0


async def add_media(call: Call[Any, Any], received: SpooledFile, *, convert: bool) -> Answer[Media]:
    """Keep a picture or video if the platform would take it.

    Args:
        call: the request that brought it.
        received: the file.
        convert: make a picture what the platform takes, where it is something else.

    Raises:
        ProblemError: it would not be taken, or there is no room.
        ReplayError: it was kept for the same request before. Let it pass.
        NotReadyError: something that is needed does not work now. Answer 503.
    """
    if not convert:
        return await _keep(call, received)
    async with call.deps.examiner.converted(received) as fit:
        return await _keep(call, fit)


async def _keep(call: Call[Any, Any], file: SpooledFile) -> Answer[Media]:
    deps = call.deps
    facts = await deps.examiner.examine(file)
    new = store.NewMedia(key=new_key(file.type), facts=facts, sha256=file.sha256)
    try:
        # The bytes come first: a row that is seen always leads to a file.
        await deps.media_store.put(new.key, file.file, size=file.size)
        return await _write(call, new)
    except BaseException:
        await _drop_unless_named(deps, new.key, user_id=call.user_id)
        raise


async def _write(call: Call[Any, Any], new: store.NewMedia) -> Answer[Media]:
    async with call.begin() as tx:
        row = await store.insert(tx, new, user_id=call.user_id)
        media = present(row, urls=call.deps.media_urls)
        await call.audit(tx, "media.created", ("media", media.id), after=without_address(media))
        return await call.keep(tx, created(media, path="/v1/media"))


async def _drop_unless_named(deps: Deps, key: str, *, user_id: UUID) -> None:
    """Remove the bytes again, unless the row is there after all: a commit that was cut off may have taken place."""
    try:
        async with connect(deps.pool) as connection:
            named = await store.has_key(connection, key, user_id=user_id)
    except NotReadyError as error:
        log.warning("media.left_behind", key=key, error=str(error))
        return
    if not named:
        await deps.media_store.drop(key)


async def fetch_media(deps: Deps, url: str, into: SpooledFile) -> None:
    """Receive the file at a client's URL.

    Raises:
        ProblemError: the URL leads into a private network (`media_url_forbidden`), gives no file or one that is too
            large, or there is no room.
    """
    # Of what is inside, a client may have fetched what it could open by itself: media, and nothing that stands beside.
    exempt = [deps.own_origin] if deps.media_urls.is_ours(url) else []
    try:
        await fetch_guarded(url, into.write, exempt=exempt, max_bytes=VIDEO_BYTES_MAX, deadline_s=_FETCH_DEADLINE_S)
    except (BodyTooLargeError, UnsafeUrlError, FetchFailedError) as error:
        raise ProblemError(error.code, str(error)) from error
