"""`media:check`: are the media of a post that is soon due still there for the platform to fetch?

Nothing is held back by what it finds: the platform has the last word. It tells people while there is time to act.
"""

from __future__ import annotations

from uuid import UUID

import structlog

from shared.database import Connection, Pool
from shared.jobs import CheckMedia, Dead, Job, Transient
from shared.publications import CHECK_AHEAD_S, find_unfetched, look_at, note_looks, plan_media_check
from shared.security import PublicFetch

log = structlog.get_logger()
_LOCK_POST = "SELECT 1 FROM posts WHERE user_id = $1 AND id = $2 FOR UPDATE"
# Filtered after the look-up by post: the waiting ones of all posts are no fewer than all of one post.
_AWAITED = """
    SELECT coalesce(bool_or(state IN ('scheduled', 'held', 'publishing')), false) AS awaited,
           min(publish_at) FILTER (
               WHERE state IN ('scheduled', 'held') AND publish_at > now() + $3::float8 * interval '1 second'
           ) AS later
    FROM publications
    WHERE user_id = $1 AND post_id = $2
"""


async def check_media(pool: Pool, fetch: PublicFetch | None, _job: Job, payload: CheckMedia) -> None:
    """Look at the media of a post, keep what was seen, and plan the next look if publications follow later.

    Raises:
        Transient: one cannot be fetched; look again by the job's policy.
    """
    user_id, post_id = payload.user_id, payload.post_id
    if fetch is None or not await pool.fetchval(_AWAITED, user_id, post_id, CHECK_AHEAD_S):
        return
    async with pool.acquire() as connection:
        media = await find_unfetched(connection, user_id=user_id, post_id=post_id, fresh_s=0.0)
    looks = await look_at(fetch, media)
    seen = [f"{look.medium.id}: {look.reason}" for look in looks if look.reason is not None]
    async with pool.acquire() as connection, connection.transaction():
        await note_looks(connection, looks, user_id=user_id, post_id=post_id)
        if not seen:
            await _plan_next(connection, user_id=user_id, post_id=post_id)
    if seen:
        raise Transient(f"media cannot be fetched through PUBLIC_URL: {'; '.join(seen)}")
    log.info("media.checked", media=len(media))


async def plan_on(pool: Pool, _job: Job, payload: CheckMedia, _dead: Dead) -> None:
    """A check that was given up is followed by one for the publications that come later."""
    async with pool.acquire() as connection, connection.transaction():
        await _plan_next(connection, user_id=payload.user_id, post_id=payload.post_id)


async def _plan_next(tx: Connection, *, user_id: UUID, post_id: UUID) -> None:
    # Whoever makes publications of the post plans a check too, under the same lock: the earlier one stands.
    await tx.execute(_LOCK_POST, user_id, post_id)
    later = await tx.fetchval(_AWAITED, user_id, post_id, CHECK_AHEAD_S, column=1)
    if later is not None:
        await plan_media_check(tx, [later], user_id=user_id, post_id=post_id)
