"""Gauges of what is open: publications by state, the longest due one, claims that nobody renews, dead jobs."""

from __future__ import annotations

from shared import metrics
from shared.database import Pool
from shared.publications import PublicationState

_MOST = 100_000
_DEAD_MOST = 10_000

# The order names the index of each state: without it the planner may read the table, in the hope of meeting enough.
_COUNT_SCHEDULED = """
    SELECT count(*)
    FROM (SELECT FROM publications WHERE state = 'scheduled' ORDER BY next_attempt_at LIMIT $1) AS counted
"""
_COUNT_HELD = """
    SELECT count(*)
    FROM (SELECT FROM publications WHERE state = 'held' ORDER BY publish_at LIMIT $1) AS counted
"""
_COUNT_UNKNOWN = """
    SELECT count(*)
    FROM (SELECT FROM publications WHERE state = 'outcome_unknown' ORDER BY rescue_at LIMIT $1) AS counted
"""
# As many as the publishers have slots.
_PUBLISHING = """
    SELECT count(*) AS claimed, count(*) FILTER (WHERE lease_until < now()) AS lapsed
    FROM publications
    WHERE state = 'publishing'
"""
_OLDEST_DUE = """
    SELECT coalesce(max(extract(epoch FROM now() - next_attempt_at)), 0)::float8
    FROM (
        SELECT next_attempt_at
        FROM publications
        WHERE state = 'scheduled' AND next_attempt_at <= now()
        ORDER BY next_attempt_at
        LIMIT 1
    ) AS longest
"""
_COUNT_DEAD = """
    SELECT count(*)
    FROM (SELECT FROM dead_jobs ORDER BY died_at DESC, id DESC LIMIT $1) AS counted
"""


async def observe_publications_once(pool: Pool) -> None:
    """Read them and set their gauges. However many there are, no state is counted beyond 100,000."""
    async with pool.acquire() as connection:
        publishing = await connection.fetchrow(_PUBLISHING)
        counts = {
            PublicationState.SCHEDULED: await connection.fetchval(_COUNT_SCHEDULED, _MOST),
            PublicationState.PUBLISHING: publishing["claimed"] if publishing else 0,
            PublicationState.HELD: await connection.fetchval(_COUNT_HELD, _MOST),
            PublicationState.OUTCOME_UNKNOWN: await connection.fetchval(_COUNT_UNKNOWN, _MOST),
        }
        oldest_s = await connection.fetchval(_OLDEST_DUE)
        dead = await connection.fetchval(_COUNT_DEAD, _DEAD_MOST)
    for state, count in counts.items():
        metrics.publications_open.labels(state.value).set(count)
    metrics.leases_lapsed.set(publishing["lapsed"] if publishing else 0)
    metrics.publications_oldest_due_seconds.set(oldest_s)
    metrics.dead_jobs.set(dead)
