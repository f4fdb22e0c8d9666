"""What must never be: publications that nothing moves any more, that went live twice, or before their time.

Whatever is late is suspected only once those who should have moved it have had their turn, and counts as lost only when
nothing has touched it while it was watched for ten minutes: what waited while a server was away is worked off in the
meantime, the oldest first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from services.scheduler.suspects import read_suspects
from shared import metrics
from shared.database import Pool

log = structlog.get_logger()
_WATCHED_S = 600.0
# Between two looks further apart than that anything may have happened.
_GAP_MOST_S = 180.0
_NAMED_MOST = 10

# Beside what ended lately, what is being published: one that has been live must not be there. By the database's clock,
# which may have been set back by a moment, or be another server's after a failover.
_BREACHES = """
    WITH seen AS MATERIALIZED (
        (
            SELECT id, publish_at, published_at
            FROM publications
            WHERE state IN ('published', 'failed', 'canceled', 'missed') AND updated_at > now() - interval '1 hour'
            ORDER BY updated_at DESC
            LIMIT $1
        )
        UNION ALL
        SELECT id, publish_at, NULL FROM publications WHERE state = 'publishing'
    ),
    judged AS MATERIALIZED (
        SELECT id, published_at < publish_at - interval '1 second' AS is_early, (
            SELECT coalesce(min(epoch) FILTER (WHERE outcome = 'published') < max(epoch), false)
            FROM publication_attempts
            WHERE publication_id = seen.id
        ) AS is_twice
        FROM seen
    )
    SELECT count(*) FILTER (WHERE is_early) AS early, count(*) FILTER (WHERE is_twice) AS twice,
           array_agg(id) FILTER (WHERE is_early OR is_twice) AS ids
    FROM judged
"""
_LOOKED_AT_MOST = 20_000


@dataclass
class InvariantObserver:
    """Looks for breaches, and remembers since when it has seen what is suspected."""

    pool: Pool
    rescue_after_s: float
    clock: Callable[[], float] = time.monotonic
    _since: dict[UUID, float] = field(default_factory=dict)
    _looked_at: float = -_GAP_MOST_S

    async def observe_once(self) -> None:
        """Look once and set the gauges; what is found is also logged, by its ids."""
        async with self.pool.acquire() as connection:
            suspects = await read_suspects(connection, rescue_after_s=self.rescue_after_s)
            found = await connection.fetchrow(_BREACHES, _LOOKED_AT_MOST)
        lost = self._remember(suspects)
        counts = {"lost": len(lost), "twice": found["twice"] if found else 0, "early": found["early"] if found else 0}
        for invariant, count in counts.items():
            metrics.invariant_breaches.labels(invariant).set(count)
        if any(counts.values()):
            named = [*lost, *((found["ids"] if found else None) or [])][:_NAMED_MOST]
            log.error("publications.breach", **counts, publication_ids=[str(row_id) for row_id in named])

    def _remember(self, suspects: set[UUID]) -> list[UUID]:
        """Those that have been suspects in every look of the last ten minutes."""
        now = self.clock()
        if now - self._looked_at > _GAP_MOST_S:
            self._since.clear()
        self._looked_at = now
        self._since = {row_id: self._since.get(row_id, now) for row_id in suspects}
        return [row_id for row_id, since in self._since.items() if now - since >= _WATCHED_S]
