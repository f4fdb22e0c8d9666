"""Adding media: inspect, keep the bytes, then write the row that names them."""

from __future__ import annotations

import hashlib
from uuid import UUID

from services.api.connections import begin
from services.api.deps import Deps
from services.api.http import ProblemError
from services.api.media import store
from services.api.media.inspect_image import IMAGE_BYTES_MAX
from services.api.media.media_store import new_key
from shared.database import Row
from shared.security import BodyTooLargeError, FetchFailedError, UnsafeUrlError, fetch_guarded

_FETCH_DEADLINE_S = 20.0


async def add_media(deps: Deps, content: bytes, *, user_id: UUID) -> Row:
    """Keep an image if the platform would take it.

    Raises:
        ProblemError: it would not.
    """
    facts = await deps.inspector.inspect(content)
    key = new_key()
    # The bytes come first: a row that is seen always leads to a file.
    await deps.media_store.put(key, content)
    new = store.NewMedia(
        key=key,
        bytes=len(content),
        width=facts.width,
        height=facts.height,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    try:
        async with begin(deps.pool) as tx:
            return await store.insert(tx, new, user_id=user_id)
    except Exception:
        await deps.media_store.drop(key)
        raise


async def fetch_media(deps: Deps, url: str) -> bytes:
    """The file at a client's URL.

    Raises:
        ProblemError: the URL leads into a private network (`media_url_forbidden`), or gives no file.
    """
    try:
        fetched = await fetch_guarded(
            url, exempt=[deps.own_origin], max_bytes=IMAGE_BYTES_MAX, deadline_s=_FETCH_DEADLINE_S
        )
    except (BodyTooLargeError, UnsafeUrlError, FetchFailedError) as error:
        raise ProblemError(error.code, str(error)) from error
    return fetched.content
