"""Keeping live claims alive: one UPDATE per process for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from shared import metrics
from shared.database import Pool
from shared.publications import Publication

# One that somebody has locked has its turn next time: whoever stops ten thousand holds them for seconds, and for them
# all other claims would wait.
_RENEW = """
    UPDATE publications SET lease_until = now() + $3::float8 * interval '1 second'
    FROM (
        SELECT publications.id
        FROM publications
        JOIN unnest($1::uuid[], $2::int[]) AS held (id, epoch)
          ON publications.id = held.id AND publications.epoch = held.epoch
        WHERE publications.state = 'publishing'
        FOR NO KEY UPDATE OF publications SKIP LOCKED
    ) AS held
    WHERE publications.id = held.id
"""


class Leases:
    """The claims this process works on."""

    def __init__(self, pool: Pool, *, lease_s: float) -> None:
        """Take a pool of their own: renewal must not wait behind the work it protects."""
        self._pool = pool
        self._lease_s = lease_s
        self._held: set[tuple[UUID, int]] = set()

    @contextmanager
    def hold(self, publication: Publication) -> Iterator[None]:
        """Have the claim renewed while the context lasts."""
        claim = (publication.id, publication.epoch)
        self._held.add(claim)
        metrics.leases_held.inc()
        try:
            yield
        finally:
            self._held.discard(claim)
            metrics.leases_held.dec()

    async def renew_once(self) -> None:
        """Renew every live claim. One that another worker took over since is left alone: its epoch has moved on."""
        if self._held:
            held = sorted(self._held)
            await self._pool.execute(_RENEW, [claim[0] for claim in held], [claim[1] for claim in held], self._lease_s)
