"""`cleanup:old_jobs`: prunes what is finished, in small batches that never hold up the tables people use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from shared.database import Pool
from shared.jobs import Again, CleanUp, Job, fold_stats

log = structlog.get_logger()
_EVENT_DAYS = 7
_EVENT_DAYS_AHEAD = 3
_DEAD_JOB_DAYS = 30
_JOB_START_DAYS = 1
_BATCH = 1_000
_MOST_BATCHES = 100

_PRUNE_DEAD = """
    DELETE FROM dead_jobs WHERE id IN (
        SELECT id FROM dead_jobs WHERE died_at < now() - make_interval(days => $1) LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""
_PRUNE_STARTS = """
    DELETE FROM job_starts WHERE (type, subject) IN (
        SELECT type, subject
        FROM job_starts
        WHERE last_started_at < now() - make_interval(days => $1)
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING type
"""


async def clean_up(pool: Pool, _job: Job, _payload: CleanUp) -> Again | None:
    """Drop event days past their keeping, make the days ahead, prune old dead jobs and starts, fold old statistics."""
    async with pool.acquire() as connection, connection.transaction():
        # Dropping a day locks the whole table: better to fail and try again than to queue everybody up behind it.
        await connection.execute("SET LOCAL lock_timeout = '2s'")
        days_dropped = await connection.fetchval("SELECT roll_event_partitions($1, $2)", _EVENT_DAYS, _EVENT_DAYS_AHEAD)
    log.info(
        "cleanup.done",
        event_days=days_dropped,
        dead_jobs=await _in_batches(partial(_prune, pool, _PRUNE_DEAD, _DEAD_JOB_DAYS)),
        job_starts=await _in_batches(partial(_prune, pool, _PRUNE_STARTS, _JOB_START_DAYS)),
        job_stats=await _in_batches(partial(fold_stats, pool, limit=_BATCH)),
    )
    return None


async def _prune(pool: Pool, statement: str, days: int) -> int:
    return len(await pool.fetch(statement, days, _BATCH))


async def _in_batches(batch: Callable[[], Awaitable[int]]) -> int:
    """Repeat a batch until one is not full; answers how many rows that were in all."""
    rows = 0
    for _ in range(_MOST_BATCHES):
        done = await batch()
        rows += done
        if done < _BATCH:
            break
    return rows
