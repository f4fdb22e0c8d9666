"""Whether what is due gets sent."""

from __future__ import annotations

from deploy.doctor.database import Database
from deploy.doctor.finding import Verdict, failed, ok
from deploy.doctor.words import count_of
from shared.outbox import read_backlog

_LATE_S = 60.0


async def look_at_outbox(database: Database) -> Verdict:
    """Whether a scheduler sends the jobs that are due."""
    async with database.pool.acquire() as connection:
        backlog = await read_backlog(connection)
    if backlog.oldest_s is None or backlog.oldest_s < _LATE_S:
        return ok("Jobs are sent when they are due.")
    return failed(
        f"{count_of(backlog.due, 'job')} should have been sent, the oldest {backlog.oldest_s:,.0f} s ago.",
        do="Start a scheduler, or read the log of the one that runs: it sends them.",
    )
