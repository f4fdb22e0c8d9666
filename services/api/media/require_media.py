"""Refusing to publish a post that shows what was removed."""

from __future__ import annotations

from uuid import UUID

from services.api.http import Fault, ProblemError
from shared.database import Connection, Row

# The cover stands behind the media that are shown.
_REMOVED = """
    SELECT shown.position, shown.position > cardinality(posts.media_ids) AS is_cover
    FROM posts
    CROSS JOIN LATERAL unnest(posts.media_ids || (posts.options ->> 'cover_media_id')::uuid)
         WITH ORDINALITY AS shown (media_id, position)
    LEFT JOIN media ON media.user_id = posts.user_id AND media.id = shown.media_id AND media.removed_at IS NULL
    WHERE posts.user_id = $1 AND posts.id = $2 AND shown.media_id IS NOT NULL AND media.id IS NULL
    ORDER BY shown.position
"""


async def require_media(tx: Connection, post_id: UUID, *, user_id: UUID) -> None:
    """Go on only if no medium of the post was removed. Lock the post first: then none is until the transaction ends.

    Raises:
        ProblemError: `validation_failed`, with where each stood.
    """
    faults = [_fault(row) for row in await tx.fetch(_REMOVED, user_id, post_id)]
    if faults:
        detail = "The post shows media that were removed; change the post to show others."
        raise ProblemError("validation_failed", detail, errors=faults)


def _fault(row: Row) -> Fault:
    path = "options.cover_media_id" if row["is_cover"] else f"media_ids[{row['position'] - 1}]"
    return Fault(code="not_found", message="This medium was removed.", path=path)
