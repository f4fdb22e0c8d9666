"""Gauges of the rhythm: how many looks are due and not taken, and for how long the first of them."""

from __future__ import annotations

from shared import metrics
from shared.database import Pool

# Counted no further: beyond it the age tells more.
_MOST = 10_000

_BACKLOG = """
    SELECT count(*) AS due, coalesce(max(extract(epoch FROM now() - next_check_at)), 0)::float8 AS oldest_s
    FROM (
        SELECT next_check_at
        FROM health_checks
        WHERE next_check_at <= now()
        ORDER BY next_check_at
        LIMIT $1
    ) AS due
"""


async def observe_checks_once(pool: Pool) -> None:
    """Read what is due and set its gauges."""
    backlog = await pool.fetchrow(_BACKLOG, _MOST)
    if backlog is not None:
        metrics.health_checks_due.set(backlog["due"])
        metrics.health_checks_oldest_seconds.set(backlog["oldest_s"])
