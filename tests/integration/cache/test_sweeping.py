"""Values dropped by name and by pattern, to free their room."""

from __future__ import annotations

import itertools
from uuid import uuid4

import pytest

from shared.cache import (
    CacheKeyError,
    CacheNamespace,
    CacheService,
    CacheSweepError,
    CacheTTL,
)
from shared.cache.keys import ROOT_GENERATION
from tests.caches import list_key

TTL = CacheTTL.MEDIUM
MISSING = object()


async def test_deleting_drops_the_values_named(cache):
    """Deleted keys are misses; the others stay, and deleting nothing is allowed."""
    gone, kept = list_key(), list_key()
    await cache.set(gone, "value", TTL)
    await cache.set(kept, "value", TTL)

    await cache.delete(gone)
    await cache.delete()

    assert [await cache.get(key) for key in (gone, kept)] == [None, "value"]


async def add_many(redis, user_id):
    """Three thousand health values of one user, more than a sweep takes in one step."""
    async with redis.pipeline(transaction=False) as pipeline:
        for number in range(3000):
            pipeline.set(CacheService.key(CacheNamespace.HEALTH, user_id, uuid4(), number).text, b"x", ex=60)
        await pipeline.execute()


async def test_a_pattern_drops_its_namespace_and_nothing_else(cache, redis):
    """Thousands of keys are dropped and counted; other tenants, other namespaces and generations stay."""
    user_id, neighbour = uuid4(), list_key()
    await add_many(redis, user_id)
    swarm = CacheService.key(CacheNamespace.HEALTH_SWARM, user_id)
    for key in (neighbour, swarm):
        await cache.set(key, "value", TTL)

    dropped = await cache.del_pattern(f"health:{user_id}:*")

    assert dropped == 3000
    assert [await cache.get(key) for key in (neighbour, swarm)] == ["value", "value"]
    assert await cache.del_pattern(f"accounts:list:{uuid4()}:*") == 0


async def test_a_sweep_that_takes_too_long_stops_and_says_so(cache, redis):
    """After a minute a sweep ends with an error that tells how far it came; another call finishes it."""
    user_id, minutes = uuid4(), itertools.count(0, 60)
    await add_many(redis, user_id)
    slow = CacheService(redis, observe=lambda *_: None, clock=lambda: next(minutes))

    with pytest.raises(CacheSweepError) as stopped:
        await slow.del_pattern(f"health:{user_id}:*")
    rest = await cache.del_pattern(f"health:{user_id}:*")
    await slow.close()

    assert stopped.value.dropped > 0
    assert rest > 0
    assert stopped.value.dropped + rest == 3000


async def test_a_pattern_without_a_namespace_drops_nothing(cache, redis):
    """A bare star is refused before anything is sent."""
    await cache.set(list_key(), "value", TTL)

    with pytest.raises(CacheKeyError):
        await cache.del_pattern("*")

    assert await redis.exists(ROOT_GENERATION)
