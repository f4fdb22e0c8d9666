"""The sweep over accounts that are seen as better once that has lasted: the time has come, with or without an event."""

from __future__ import annotations

from services.health.bands import RISES_AFTER_S
from services.health.rescore import Clinic, rescore

_BATCH = 500

_RISEN = """
    SELECT account_id FROM health_scores
    WHERE rising_since <= now() - $1::float8 * interval '1 second'
    ORDER BY rising_since
    LIMIT $2
"""


async def settle_rises_once(clinic: Clinic) -> float | None:
    """Judge those again that have been rising for long enough. Returns 0 if there may be more, None otherwise."""
    rows = await clinic.pool.fetch(_RISEN, RISES_AFTER_S, _BATCH)
    await rescore(clinic, [row["account_id"] for row in rows])
    return 0.0 if len(rows) == _BATCH else None
