"""Keeping live claims alive: one UPDATE per process for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from shared.database import Pool

_RENEW = """
    UPDATE publications SET lease_until = now() + $3::float8 * interval '1 second'
    WHERE state = 'publishing' AND lease_owner = $1 AND id = ANY($2::uuid[])
"""


class Leases:
    """The claims this process works on."""

    def __init__(self, pool: Pool, *, worker: str, lease_s: float) -> None:
        self._pool = pool
        self._worker = worker
        self._lease_s = lease_s
        self._held: set[UUID] = set()

    @contextmanager
    def hold(self, publication_id: UUID) -> Iterator[None]:
        """Have the claim renewed while the context lasts."""
        self._held.add(publication_id)
        try:
            yield
        finally:
            self._held.discard(publication_id)

    async def renew_once(self) -> None:
        """Renew every live claim. A claim another worker took over since is left alone: its owner has changed."""
        if self._held:
            await self._pool.execute(_RENEW, self._worker, list(self._held), self._lease_s)
