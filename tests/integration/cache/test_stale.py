"""Values near their end and past it: loaded early, served when the loader fails, never after an invalidation."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest

from shared.cache import CacheNamespace, CacheResult, CacheService, CacheTTL, connect_redis
from shared.cache.envelope import Envelope, pack, seal
from tests.caches import Loader, of_lists
from tests.waiting import until

TTL = CacheTTL.MEDIUM
MISSING = object()


@pytest.fixture
async def other_process(redis_url, seen):
    """A cache that shares nothing with the first but Redis, and the counter of this test."""
    client = connect_redis(redis_url)
    cache = CacheService(client, observe=lambda namespace, result: seen.update([(namespace, result)]))
    yield cache
    await cache.close()
    await client.aclose()


async def stored(cache, redis, user_id, *, value="old", left_s, load_s=0.0):
    """A key whose value is fresh for `left_s` more seconds (negative: it was), and took `load_s` to load."""
    key = CacheService.key(CacheNamespace.ACCOUNTS_LIST, user_id)
    await cache.get(key)  # makes the generations
    envelope = Envelope(
        generations=tuple(await redis.mget(key.generations)),
        fresh_until=time.time() + left_s,
        load_s=load_s,
        payload=pack(value),
    )
    await redis.set(key.text, seal(envelope), px=600_000)
    return key


async def due(cache, redis, user_id):
    """A key whose value is fresh, but took so long to load that every reader wants it loaded anew."""
    return await stored(cache, redis, user_id, left_s=60, load_s=1e9)


async def test_a_value_is_loaded_anew_before_its_end_once_and_nobody_waits(cache, other_process, redis, seen):
    """Readers in two processes get the old value at once, while one of them loads the new one in the background."""
    key, loader = await due(cache, redis, uuid4()), Loader("new")
    loader.may_end.clear()
    seen.clear()

    during = [await each.get_or_set(key, loader, TTL) for _ in range(10) for each in (cache, other_process)]
    await loader.began.wait()
    loader.may_end.set()
    await until(lambda: is_now(cache, key, "new"), what="the refreshed value")
    after = [await each.get_or_set(key, loader, TTL) for _ in range(10) for each in (cache, other_process)]

    assert during == ["old"] * 20
    assert after == ["new"] * 20
    assert loader.runs == 1
    assert set(seen) == {(CacheNamespace.ACCOUNTS_LIST, CacheResult.HIT)}


async def is_now(cache, key, value):
    return await cache.get(key) == value


async def test_a_refresh_that_an_invalidation_overtook_is_never_served(cache, redis):
    """What a refresh read before a change is void, and its old value as well."""
    user_id = uuid4()
    key, overtaken = await due(cache, redis, user_id), Loader("read before")
    overtaken.may_end.clear()
    assert await cache.get_or_set(key, overtaken, TTL) == "old"
    await overtaken.began.wait()

    await cache.invalidate_user(user_id)
    overtaken.may_end.set()
    value = await cache.get_or_set(key, Loader("read after"), TTL)
    await cache.close()  # the refresh is over

    assert value == "read after"
    assert await redis.keys("*:lock:*") == []


async def test_a_refresh_that_fails_harms_nobody(cache, redis):
    """While the loader fails, a value within its TTL is served as before, and its lock is given back."""
    key, failing = await due(cache, redis, uuid4()), Loader(LookupError("gone"))

    values = []
    for _ in range(3):
        values.append(await cache.get_or_set(key, failing, TTL))
        await failing.began.wait()

    assert values == ["old"] * 3
    await until(lambda: no_lock(redis), what="the lock to be given back")


async def no_lock(redis):
    return not await redis.keys("*:lock:*")


async def test_a_value_past_its_ttl_is_loaded(cache, redis, seen):
    """As long as the loader works nothing is served for longer than its TTL."""
    key = await stored(cache, redis, uuid4(), left_s=-0.001)
    seen.clear()

    assert await cache.get(key, MISSING) is MISSING
    assert await cache.get_or_set(key, Loader("new"), TTL) == "new"
    assert seen == of_lists(miss=2)


async def test_a_loader_that_fails_leaves_the_old_value(cache, redis, seen):
    """A value past its TTL is better than an error, and is counted as what it is."""
    key = await stored(cache, redis, uuid4(), left_s=-30)
    seen.clear()

    values = await asyncio.gather(*(cache.get_or_set(key, Loader(LookupError("gone")), TTL) for _ in range(3)))

    assert values == ["old"] * 3
    assert seen == of_lists(stale=3)


@pytest.mark.parametrize("when", ["before the load", "while it fails"])
async def test_no_old_value_outlives_an_invalidation(cache, redis, when):
    """A loader that fails brings back nothing that was invalidated, however the two interleave."""
    user_id = uuid4()
    key, failing = await stored(cache, redis, user_id, left_s=-30), Loader(LookupError("gone"))
    failing.may_end.clear()
    if when == "before the load":
        await cache.invalidate_user(user_id)
    reader = asyncio.create_task(cache.get_or_set(key, failing, TTL))
    await failing.began.wait()
    if when == "while it fails":
        await cache.invalidate_user(user_id)

    failing.may_end.set()

    with pytest.raises(LookupError, match="gone"):
        await reader


async def test_an_old_none_is_not_kept_for_need(cache, redis):
    """That there was nothing is no answer to a loader that fails: Redis forgets it with its TTL."""
    key = CacheService.key(CacheNamespace.ACCOUNTS_LIST, uuid4())

    await cache.set(key, None, 300)

    assert 0 < await redis.pttl(key.text) <= 30_000
