"""What a restored database needs so that the services go on where the world is, and not where the backup is.

Between backup and restore publications may have gone live that the database calls scheduled. Everything that waits is
therefore looked up at the platform before it is sent. docs/operations.md tells it from the operator's side.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from deploy.backup.database import OPEN, connect, require_alone, writable
from services.scheduler.break_schedules import Broken, break_schedules
from services.scheduler.make_occurrences import make_occurrences_once
from services.scheduler.process_schedule import process_occurrence
from shared.cache import CacheAwayError, CacheNamespace, CacheSweepError, open_cache
from shared.database import Connection, Pool, create_pool
from shared.jobs import JobType, ProcessOccurrence, new_job
from shared.publications import look_up_first
from shared.settings import Settings

log = structlog.get_logger()
_AT_ONCE = 500

# A post queue has moved on since, nobody knows how far.
_QUEUES = """
    SELECT id, user_id, name
    FROM schedules
    WHERE post_queue_id IS NOT NULL AND removed_at IS NULL AND paused_at IS NULL
      AND (next_at <= now() OR EXISTS (
          SELECT FROM schedule_occurrences
          WHERE user_id = schedules.user_id AND schedule_id = schedules.id AND state = 'pending'
      ))
    ORDER BY id
    FOR NO KEY UPDATE
"""
_PENDING = """
    SELECT id, user_id FROM schedule_occurrences WHERE state = 'pending' ORDER BY asked_at LIMIT $1
"""
# No worker has died of what ran when the backup was made.
_FORGET_STARTS = "DELETE FROM job_starts"
# Another cluster counts its transactions anew: what it numbers from now on must come after what is there.
_IS_AHEAD = "SELECT EXISTS (SELECT FROM events WHERE tx >= pg_snapshot_xmax(pg_current_snapshot()))"
_MOVE_WEBHOOKS = """
    UPDATE webhooks
    SET position_tx = pg_current_xact_id(),
        position_seq = coalesce(
            (SELECT min(seq) - 1 FROM events
             WHERE events.user_id = webhooks.user_id AND (tx, seq) > (position_tx, position_seq)),
            (SELECT max(seq) FROM events),
            0
        )
"""
_RENUMBER = "UPDATE events SET tx = pg_current_xact_id()"


@dataclass(frozen=True, kw_only=True)
class GoneOn:
    """What was done so that the system goes on rightly."""

    looked_up: int  # publications that are looked up before anything else
    occurrences: int  # of schedules, that came due since the backup
    queues: int  # schedules with a post queue that wait for a person
    renumbered: bool  # events were numbered anew


async def go_on(settings: Settings, *, since: datetime) -> GoneOn:
    """Prepare a database that was just restored, and let services write to it again with the last transaction.

    Args:
        settings: of the system.
        since: when the backup was made.

    Raises:
        BackupError: a service was started meanwhile. Stop it and restore again.
    """
    async with await create_pool(writable(settings.database_url), application_name="restore", max_size=1) as pool:
        queues = await _stop_queues(pool)
        occurrences = await _make_up(pool, rescue_after_s=settings.rescue_after_s)
    async with connect(settings.database_url) as connection:
        await require_alone(connection)
        async with connection.transaction():
            renumbered = await _renumber(connection)
            await connection.execute(_FORGET_STARTS)
            looked_up = await look_up_first(connection, since=since)
            await connection.execute(OPEN)
    await _forget_cache(settings)
    return GoneOn(looked_up=looked_up, occurrences=occurrences, queues=queues, renumbered=renumbered)


async def _stop_queues(pool: Pool) -> int:
    error = (
        "the database was restored, and it came due after the backup: posts of its queue may have been published that "
        "the queue still holds. Take out what is live, then resume."
    )
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_QUEUES)
        broken = [Broken(schedule_id=row["id"], user_id=row["user_id"], name=row["name"], error=error) for row in rows]
        await break_schedules(connection, broken)
    return len(broken)


async def _make_up(pool: Pool, *, rescue_after_s: float) -> int:
    """Let the schedules do now what they would do at the start, so that what comes of it is looked up as well."""
    while (next_due_s := await make_occurrences_once(pool)) is not None and next_due_s < 1:
        continue
    count = 0
    while rows := await pool.fetch(_PENDING, _AT_ONCE):
        for row in rows:
            payload = ProcessOccurrence(user_id=row["user_id"], occurrence_id=row["id"])
            job = new_job(JobType.SCHEDULE_PROCESS, payload, subject=str(row["id"]))
            await process_occurrence(pool, job, payload, rescue_after_s=rescue_after_s)
        count += len(rows)
    return count


async def _renumber(connection: Connection) -> bool:
    if not await connection.fetchval(_IS_AHEAD):
        return False
    await connection.execute(_MOVE_WEBHOOKS)
    await connection.execute(_RENUMBER)
    return True


async def _forget_cache(settings: Settings) -> None:
    """What Redis holds is of the time after the backup."""
    async with open_cache(settings.redis_url) as cache:
        for namespace in CacheNamespace:
            try:
                await cache.del_pattern(f"{namespace}:*")
            except (CacheAwayError, CacheSweepError) as error:
                log.warning("cache.not_emptied", error=str(error))
                return
