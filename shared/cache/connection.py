"""The Redis client of the cache, with a deadline on everything it does."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_S = 0.25
OPERATION_S = 0.075
_CONNECTIONS_MAX = 64


def connect_redis(url: str) -> Redis:
    """A client for `CacheService`: 250 ms to connect, 75 ms for an operation, no retries. Connects when first used.

    Close it with `aclose`, after the cache.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS_MAX,
        timeout=CONNECT_S,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=OPERATION_S,
        retry=Retry(NoBackoff(), 0),  # the library's default waits and tries again, far beyond these deadlines
        protocol=2,  # no handshake before the first command
        driver_info=None,
    )
    return Redis.from_pool(pool)
