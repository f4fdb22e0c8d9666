"""Two caches on one Redis, as two processes have them, and what their reads were counted as."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.cache import CacheService, connect_redis
from shared.cache.breaker import Breaker

# A machine that stands still for a moment is no outage here; outages have tests of their own.
_PATIENT_S = 10.0


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Redis may take its time."""
    monkeypatch.setattr("shared.cache.connection.CONNECT_S", _PATIENT_S)
    monkeypatch.setitem(connect_redis.__kwdefaults__, "operation_s", _PATIENT_S)
    monkeypatch.setattr("shared.cache.line.OPERATION_S", _PATIENT_S)
    monkeypatch.setitem(Breaker.run.__kwdefaults__, "seconds", _PATIENT_S)


@pytest.fixture
async def redis(redis_url):
    client = connect_redis(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def seen():
    """Reads of `cache` by namespace and result."""
    return Counter()


@pytest.fixture
async def cache(redis, seen):
    cache = CacheService(redis, observe=lambda namespace, result: seen.update([(namespace, result)]))
    yield cache
    await cache.close()


@pytest.fixture
async def other_process(redis_url):
    """A cache that shares nothing with the first but Redis."""
    client = connect_redis(redis_url)
    cache = CacheService(client, observe=lambda *_: None)
    yield cache
    await cache.close()
    await client.aclose()
