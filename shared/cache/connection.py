"""The Redis client of the cache and of the limits, with a deadline on everything it does."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_S = 0.25
OPERATION_S = 0.075
_CONNECTIONS_MAX = 64


def connect_redis(url: str, *, operation_s: float = OPERATION_S) -> Redis:
    """A client that waits for nothing long: 250 ms to connect, 75 ms for an operation, no retries.

    It connects when first used. Close it with `aclose`; that of a `CacheService` after the cache.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS_MAX,
        timeout=CONNECT_S,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=operation_s,
        retry=Retry(NoBackoff(), 0),  # the library's default waits and tries again, far beyond these deadlines
        protocol=2,  # no handshake before the first command
        driver_info=None,
    )
    return Redis.from_pool(pool)
