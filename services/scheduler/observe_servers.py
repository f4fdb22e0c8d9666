"""Gauges of what PostgreSQL and Redis say of themselves."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import metrics
from shared.database import Pool
from shared.errors import NotReadyError

# Of other roles' sessions a plain role sees that they are there, and no more: their transactions have no beginning for
# it. Helpers of the server have no user or no database.
_SESSIONS = """
    SELECT count(*) FILTER (WHERE usesysid IS NOT NULL AND datid IS NOT NULL) AS open,
           current_setting('max_connections')::int AS most,
           coalesce(extract(epoch FROM now() - min(xact_start) FILTER (
               WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
           )), 0)::float8 AS oldest_s
    FROM pg_stat_activity
"""
_SIZE = "SELECT pg_database_size(current_database())"


async def observe_database_once(pool: Pool) -> None:
    """Read what the server does now and set its gauges. Any role may ask."""
    row = await pool.fetchrow(_SESSIONS)
    if row is not None:
        metrics.database_connections.set(row["open"])
        metrics.database_max_connections.set(row["most"])
        # A transaction that began after ours did is younger than nothing.
        metrics.database_oldest_transaction_seconds.set(max(0.0, row["oldest_s"]))


async def observe_database_size_once(pool: Pool) -> None:
    """Have the server add up the sizes of its files."""
    metrics.database_size_bytes.set(await pool.fetchval(_SIZE))


@dataclass
class RedisObserver:
    """Reads what Redis says of its memory."""

    redis: Redis
    _evicted: int | None = None  # what it counted when it was asked last

    async def observe_once(self) -> None:
        """Read it and set the metrics.

        Raises:
            NotReadyError: Redis did not answer, or does not let this user ask. Look at REDIS_URL, and that its user may
                run INFO.
        """
        try:
            told = await self.redis.info("memory") | await self.redis.info("stats")
        except (RedisError, OSError, TimeoutError) as error:
            raise NotReadyError(
                f"Redis does not tell of its memory: {error or type(error).__name__}. Look at REDIS_URL, and that its"
                " user may run INFO."
            ) from error
        metrics.redis_memory_used_bytes.set(told.get("used_memory", 0))
        metrics.redis_memory_max_bytes.set(told.get("maxmemory", 0))
        evicted = int(told.get("evicted_keys", 0))
        if self._evicted is not None:
            # Less than before: it was started anew, and all it counts is new.
            metrics.redis_evicted_total.inc(evicted - self._evicted if evicted >= self._evicted else evicted)
        self._evicted = evicted
