"""What all processes together have done: each adds its own counts to a table, whoever asks gets the sums."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from shared.database import Connection, Pool
from shared.jobs.monitor import JobMonitor, JobStats, job_monitor
from shared.jobs.types import JobType
from shared.lifecycle import repeat

_EVERY_S = 5.0
_LAST_WRITE_S = 5.0
_NOTHING = JobStats(completed=0, failed=0, active=0)
#: The name under which the counts of processes that are long gone are kept.
FOLDED = "folded"

# Increments, so that a process whose row was folded while it slept goes on from there and is not counted twice.
_ADD = """
    INSERT INTO job_stats (worker, type, completed, failed, active)
    SELECT $1, type, completed, failed, active
    FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::integer[]) AS c (type, completed, failed, active)
    ON CONFLICT (worker, type) DO UPDATE SET
        completed = job_stats.completed + excluded.completed,
        failed = job_stats.failed + excluded.failed,
        active = excluded.active,
        updated_at = now()
"""
# What a process ran when it fell silent is over.
_READ = """
    SELECT type, sum(completed)::bigint AS completed, sum(failed)::bigint AS failed,
           coalesce(sum(active) FILTER (WHERE updated_at > now() - interval '30 seconds'), 0)::bigint AS active
    FROM job_stats
    GROUP BY type
    ORDER BY type
"""
_FOLD = """
    WITH silent AS (
        DELETE FROM job_stats WHERE (worker, type) IN (
            SELECT worker, type
            FROM job_stats
            WHERE worker <> $1 AND updated_at < now() - interval '1 day'
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        )
        RETURNING type, completed, failed
    ), kept AS (
        INSERT INTO job_stats (worker, type, completed, failed, active)
        SELECT $1, type, sum(completed), sum(failed), 0
        FROM silent
        GROUP BY type
        ORDER BY type
        ON CONFLICT (worker, type) DO UPDATE SET
            completed = job_stats.completed + excluded.completed,
            failed = job_stats.failed + excluded.failed
    )
    SELECT count(*) FROM silent
"""

log = structlog.get_logger()


class StatsWriter:
    """Adds what one process has counted to the table."""

    def __init__(self, pool: Pool, *, worker: str, monitor: JobMonitor = job_monitor) -> None:
        """Nothing is written yet.

        Args:
            pool: the database.
            worker: a name that no other process has or had.
            monitor: what counts.
        """
        self._pool = pool
        self._worker = worker
        self._monitor = monitor
        self._written: dict[JobType, JobStats] = {}

    async def write_once(self) -> None:
        """Add what was counted since the last time."""
        counts = {type_: self._monitor.get_stats(type_) for type_ in JobType}
        rows = [
            (type_, now["completed"] - old["completed"], now["failed"] - old["failed"], now["active"])
            for type_, now in counts.items()
            for old in [self._written.get(type_, _NOTHING)]
            if any(now.values())
        ]
        if rows:
            await self._pool.execute(_ADD, self._worker, *(list(column) for column in zip(*rows, strict=True)))
            self._written = counts


@asynccontextmanager
async def report_stats(pool: Pool, *, service: str) -> AsyncIterator[None]:
    """Write this process's counts every 5 s while the block runs, and once more at its end.

    Args:
        pool: the database; it outlives the block.
        service: whose process this is.
    """
    worker = f"{service}:{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    writer = StatsWriter(pool, worker=worker)
    over = asyncio.Event()
    writing = asyncio.create_task(repeat(writer.write_once, name="stats", every_s=_EVERY_S, stop=over))
    try:
        yield
    finally:
        over.set()
        try:
            async with asyncio.timeout(_LAST_WRITE_S):
                await writing
                await writer.write_once()
        except Exception as error:  # noqa: BLE001 - a service that stops must not fail for its statistics
            log.warning("stats.last_write_failed", error=str(error) or type(error).__name__)


async def read_stats(connection: Connection) -> Mapping[str, JobStats]:
    """What all processes have done since the first of them began, and run now, by type."""
    return {
        row["type"]: JobStats(completed=row["completed"], failed=row["failed"], active=row["active"])
        for row in await connection.fetch(_READ)
    }


async def fold_stats(pool: Pool, *, limit: int) -> int:
    """Add up the rows of processes that have been silent for a day; the sums stay.

    Returns:
        How many rows were folded, at most `limit`.
    """
    return int(await pool.fetchval(_FOLD, FOLDED, limit))
