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
_OPERATION_DAYS = 30
_AUDIT_DAYS = 365
_DELIVERY_DAYS = 30
# What may be repeated is kept so long, and no longer.
_REPEATABLE_DAYS = 1
# A state that ended is of no use at once.
_OAUTH_STATE_DAYS = 0
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
_PRUNE_REPEATABLE = """
    DELETE FROM idempotency_keys WHERE (user_id, key) IN (
        SELECT user_id, key
        FROM idempotency_keys
        WHERE created_at < now() - make_interval(days => $1)
        ORDER BY created_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING key
"""
_PRUNE_OPERATIONS = """
    DELETE FROM operations WHERE id IN (
        SELECT id
        FROM operations
        WHERE created_at < now() - make_interval(days => $1)
        ORDER BY created_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""
_PRUNE_AUDIT = """
    DELETE FROM audit_log WHERE id IN (
        SELECT id
        FROM audit_log
        WHERE created_at < now() - make_interval(days => $1)
        ORDER BY created_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""
_PRUNE_DELIVERIES = """
    DELETE FROM webhook_deliveries WHERE id IN (
        SELECT id
        FROM webhook_deliveries
        WHERE created_at < now() - make_interval(days => $1)
        ORDER BY created_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""
_PRUNE_OAUTH_STATES = """
    DELETE FROM oauth_states WHERE state_hash IN (
        SELECT state_hash
        FROM oauth_states
        WHERE expires_at < now() - make_interval(days => $1)
        ORDER BY expires_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING user_id
"""
#: What is pruned by age alone: its name in the log, its statement, and how many days it is kept.
_BY_AGE = (
    ("dead_jobs", _PRUNE_DEAD, _DEAD_JOB_DAYS),
    ("job_starts", _PRUNE_STARTS, _JOB_START_DAYS),
    ("idempotency_keys", _PRUNE_REPEATABLE, _REPEATABLE_DAYS),
    ("operations", _PRUNE_OPERATIONS, _OPERATION_DAYS),
    ("audit_log", _PRUNE_AUDIT, _AUDIT_DAYS),
    ("webhook_deliveries", _PRUNE_DELIVERIES, _DELIVERY_DAYS),
    ("oauth_states", _PRUNE_OAUTH_STATES, _OAUTH_STATE_DAYS),
)


async def clean_up(pool: Pool, _job: Job, _payload: CleanUp) -> Again | None:
    """Drop event days past their keeping, make the days ahead, prune what is old, fold old statistics."""
    async with pool.acquire() as connection, connection.transaction():
        # Dropping a day locks the whole table: better to fail and try again than to queue everybody up behind it.
        await connection.execute("SET LOCAL lock_timeout = '2s'")
        days_dropped = await connection.fetchval("SELECT roll_event_partitions($1, $2)", _EVENT_DAYS, _EVENT_DAYS_AHEAD)
    pruned = {name: await _in_batches(partial(_prune, pool, statement, days)) for name, statement, days in _BY_AGE}
    log.info(
        "cleanup.done",
        event_days=days_dropped,
        **pruned,
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
