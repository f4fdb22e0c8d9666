"""Adding media: look into the file, keep its bytes, then write the row that names them."""

from __future__ import annotations

from uuid import UUID

from services.api.connections import begin
from services.api.deps import Deps
from services.api.http import ProblemError
from services.api.media import store
from services.api.media.media_store import new_key
from services.api.media.spool import VIDEO_BYTES_MAX, SpooledFile
from shared.database import Row
from shared.security import BodyTooLargeError, FetchFailedError, UnsafeUrlError, fetch_guarded

_FETCH_DEADLINE_S = 300.0


async def add_media(deps: Deps, received: SpooledFile, *, convert: bool, user_id: UUID) -> Row:
    """Keep a picture or video if the platform would take it.

    Args:
        deps: the collaborators.
        received: the file.
        convert: make a picture what the platform takes, where it is something else.
        user_id: whose it is.

    Raises:
        ProblemError: it would not be taken, or there is no room.
        NotReadyError: something that is needed does not work now. Answer 503.
    """
    if not convert:
        return await _keep(deps, received, user_id=user_id)
    async with deps.examiner.converted(received) as fit:
        return await _keep(deps, fit, user_id=user_id)


async def _keep(deps: Deps, file: SpooledFile, *, user_id: UUID) -> Row:
    facts = await deps.examiner.examine(file)
    key = new_key(file.type)
    try:
        # The bytes come first: a row that is seen always leads to a file.
        await deps.media_store.put(key, file.file, size=file.size)
        async with begin(deps.pool) as tx:
            return await store.insert(tx, store.NewMedia(key=key, facts=facts, sha256=file.sha256), user_id=user_id)
    except BaseException:
        await deps.media_store.drop(key)
        raise


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
