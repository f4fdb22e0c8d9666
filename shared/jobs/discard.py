"""Letting dead jobs go for good."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.database import Connection, Pool
from shared.jobs.dead import MEANT, DeadFilter, Progress, until_now

_BATCH = 500
_DISCARD = "DELETE FROM dead_jobs WHERE id = ANY($1::uuid[]) RETURNING id"
_OLDEST = f"SELECT id {MEANT} ORDER BY died_at, id LIMIT $6 FOR UPDATE SKIP LOCKED"
_DISCARD_OLDEST = f"DELETE FROM dead_jobs WHERE id IN ({_OLDEST}) RETURNING id"  # noqa: S608 - built of constants alone
_COUNT = f"SELECT count(*) {MEANT}"


async def discard(tx: Connection, dead_ids: Sequence[UUID]) -> set[UUID]:
    """Let dead jobs go.

    Returns:
        The ids of those that were there.
    """
    return {row["id"] for row in await tx.fetch(_DISCARD, list(dead_ids))}


async def discard_oldest(tx: Connection, which: DeadFilter, *, limit: int) -> int:
    """Let go of those that are meant, oldest first, some thousands at most; answers how many there were."""
    return len(await tx.fetch(_DISCARD_OLDEST, *which.arguments, limit))


async def discard_many(
    pool: Pool, which: DeadFilter, *, limit: int, dry_run: bool = False, progress: Progress | None = None
) -> int:
    """Let go of all that are meant and dead at this moment, oldest first, in batches with a transaction each.

    Args:
        pool: the database.
        which: those that are meant.
        limit: most jobs in all.
        dry_run: only count.
        progress: told after each batch.

    Returns:
        How many were, or would be, let go.
    """
    which = await until_now(pool, which)
    if dry_run:
        return min(limit, int(await pool.fetchval(_COUNT, *which.arguments)))
    gone = 0
    while gone < limit:
        size = min(_BATCH, limit - gone)
        batch = len(await pool.fetch(_DISCARD_OLDEST, *which.arguments, size))
        gone += batch
        if progress is not None:
            progress(batch)
        if batch < size:
            break
    return gone
