"""The rescue sweep: whatever no message speaks for any more gets a new one."""

from __future__ import annotations

import structlog

from shared import metrics
from shared.database import Pool
from shared.publications import rescue_publications

_BATCH = 1_000
log = structlog.get_logger()


async def rescue_once(pool: Pool, *, rescue_after_s: float) -> float | None:
    """One sweep. Returns 0 if there may be more, None for the usual rhythm."""
    async with pool.acquire() as connection, connection.transaction():
        rescued, looked_at = await rescue_publications(connection, limit=_BATCH, rescue_after_s=rescue_after_s)
    if rescued:
        metrics.rescued_total.inc(rescued)
        log.info("publications.rescued", count=rescued)
    return 0.0 if looked_at >= _BATCH else None
