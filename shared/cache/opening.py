"""The cache as a service opens it: its own client, its reads counted, closed with the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.exceptions import RedisError

from shared import metrics
from shared.cache.connection import connect_redis
from shared.cache.keys import CacheNamespace
from shared.cache.look import CacheResult
from shared.cache.service import CacheService
from shared.performance import note_cache

# Looked up once: a read that is served from Redis spends as much time on a counter as on its value.
_count_one = {
    (namespace, result): metrics.cache_requests_total.labels(namespace.value, result.value).inc
    for namespace in CacheNamespace
    for result in CacheResult
}


@asynccontextmanager
async def open_cache(redis_url: str) -> AsyncIterator[CacheService]:
    """A cache for as long as the context lasts. Redis may be away, now or later: reads then go to their loaders."""
    redis = connect_redis(redis_url)
    cache = CacheService(redis, observe=_count)
    try:
        yield cache
    finally:
        await cache.close()
        with suppress(RedisError):  # a server that hangs says no farewell over TLS
            await redis.aclose()


def _count(namespace: CacheNamespace, result: CacheResult) -> None:
    _count_one[namespace, result]()
    note_cache(result.value)
