"""`cleanup:old_jobs`: prunes what is finished, in small batches that never hold up the tables people use."""

from __future__ import annotations

import structlog

from shared.database import Pool
from shared.jobs import Again, CleanUp, Job

log = structlog.get_logger()
_EVENT_DAYS = 7
_EVENT_DAYS_AHEAD = 3
_DEAD_JOB_DAYS = 30
_BATCH = 1_000
_MOST_BATCHES = 100

_PRUNE_DEAD = """
    DELETE FROM dead_jobs WHERE id IN (
        SELECT id FROM dead_jobs WHERE died_at < now() - make_interval(days => $1) LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""


async def clean_up(pool: Pool, _job: Job, _payload: CleanUp) -> Again | None:
    """Drop event days past their keeping, make the days ahead, prune old dead jobs."""
    async with pool.acquire() as connection, connection.transaction():
        # Dropping a day locks the whole table: better to fail and try again than to queue everybody up behind it.
        await connection.execute("SET LOCAL lock_timeout = '2s'")
        days_dropped = await connection.fetchval("SELECT roll_event_partitions($1, $2)", _EVENT_DAYS, _EVENT_DAYS_AHEAD)
    dead_jobs = 0
    for _ in range(_MOST_BATCHES):
        pruned = len(await pool.fetch(_PRUNE_DEAD, _DEAD_JOB_DAYS, _BATCH))
        dead_jobs += pruned
        if pruned < _BATCH:
            break
    log.info("cleanup.done", event_days=days_dropped, dead_jobs=dead_jobs)
    return None
