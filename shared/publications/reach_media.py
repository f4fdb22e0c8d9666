"""Whether the media of a post can be fetched from outside: who asks, what was seen, and how long it is believed.

A row of `media` keeps what the last look found; a change between reachable and not is an event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.database import Connection, Row
from shared.outbox import Event, record_events
from shared.security import PublicFetch

_UNFETCHED = """
    SELECT media.id, media.key, media.mime, array_position(posts.media_ids, media.id) AS position
    FROM posts
    JOIN media ON media.user_id = posts.user_id
              AND media.id = ANY(posts.media_ids || (posts.options ->> 'cover_media_id')::uuid)
    WHERE posts.user_id = $1 AND posts.id = $2 AND media.removed_at IS NULL
      AND (media.unreachable_since IS NOT NULL
           OR media.fetched_at IS NULL OR media.fetched_at <= now() - $3::float8 * interval '1 second')
    ORDER BY position
"""
_UNFETCHED_MEDIA = """
    SELECT id, key, mime, array_position($2::uuid[], id) AS position
    FROM media
    WHERE user_id = $1 AND id = ANY($2::uuid[] || $4::uuid) AND removed_at IS NULL
      AND (unreachable_since IS NOT NULL
           OR fetched_at IS NULL OR fetched_at <= now() - $3::float8 * interval '1 second')
    ORDER BY position
"""
# The CTE locks the rows, so that of two looks that end together one sees the other's, and a change is told once.
_NOTE = """
    WITH before AS (
        SELECT media.id, media.unreachable_since, seen.reason
        FROM unnest($2::uuid[], $3::text[]) AS seen (id, reason)
        JOIN media ON media.user_id = $1 AND media.id = seen.id
        ORDER BY media.id
        FOR UPDATE OF media
    )
    UPDATE media
    SET fetched_at = CASE WHEN before.reason IS NULL THEN now() ELSE media.fetched_at END,
        unreachable_since = CASE WHEN before.reason IS NOT NULL THEN coalesce(before.unreachable_since, now()) END,
        unreachable_reason = before.reason
    FROM before
    WHERE media.user_id = $1 AND media.id = before.id
    RETURNING media.id, before.reason, (before.unreachable_since IS NULL) = (before.reason IS NOT NULL) AS changed
"""


@dataclass(frozen=True, kw_only=True)
class Medium:
    """A medium of a post that is to be looked at."""

    id: UUID
    key: str
    mime: str
    position: int | None  # among the post's media, from 0; None for a cover


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen of one medium."""

    medium: Medium
    reason: str | None  # what keeps the platform from fetching it; None if nothing does


async def find_unfetched(connection: Connection, *, user_id: UUID, post_id: UUID, fresh_s: float) -> list[Medium]:
    """The media of a post, its cover included, but for those that were fetched within the last `fresh_s` seconds."""
    return [_medium(row) for row in await connection.fetch(_UNFETCHED, user_id, post_id, fresh_s)]


async def find_unfetched_media(
    connection: Connection, media_ids: Sequence[UUID], *, cover_id: UUID | None, user_id: UUID, fresh_s: float
) -> list[Medium]:
    """The same of media that a post is about to show."""
    rows = await connection.fetch(_UNFETCHED_MEDIA, user_id, list(media_ids), fresh_s, cover_id)
    return [_medium(row) for row in rows]


async def look_at(fetch: PublicFetch, media: Sequence[Medium]) -> list[Look]:
    """Fetch the beginning of each, all at once. Hold no transaction meanwhile: it takes up to 5 s."""
    reasons = await asyncio.gather(*(fetch.look(medium.key, mime=medium.mime) for medium in media))
    return [Look(medium=medium, reason=reason) for medium, reason in zip(media, reasons, strict=True)]


async def note_looks(tx: Connection, looks: Sequence[Look], *, user_id: UUID, post_id: UUID) -> None:
    """Keep what was seen, and tell where it changed: `media.unreachable` when that begins, `media.reachable` after."""
    ids, reasons = [look.medium.id for look in looks], [look.reason for look in looks]
    rows = await tx.fetch(_NOTE, user_id, ids, reasons)
    events = [
        Event(
            user_id=user_id,
            type="media.reachable" if row["reason"] is None else "media.unreachable",
            subject=row["id"],
            payload={"media_id": str(row["id"]), "post_id": str(post_id), "reason": row["reason"]},
        )
        for row in rows
        if row["changed"]
    ]
    await record_events(tx, events)


def _medium(row: Row) -> Medium:
    position = row["position"]
    return Medium(id=row["id"], key=row["key"], mime=row["mime"], position=None if position is None else position - 1)
