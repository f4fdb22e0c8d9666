"""The cache on a real Redis. Order is made by events; no test waits for time to pass."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from shared import metrics
from shared.cache import (
    CacheResult,
    CacheTTL,
    CacheValueError,
)
from shared.cache.envelope import Envelope
from tests.caches import Database, list_key

TTL = CacheTTL.MEDIUM
MISSING = object()


async def test_the_second_read_is_served_from_redis(cache, seen):
    """A value is loaded once and then comes from Redis, and both reads are counted as what they were."""
    database, key = Database({"name": "ann", "n": 1}), list_key()

    values = [await cache.get_or_set(key, database.load, TTL) for _ in range(2)]

    assert values == [{"name": "ann", "n": 1}] * 2
    assert database.reads == 1
    assert seen == {(key.namespace, CacheResult.MISS): 1, (key.namespace, CacheResult.HIT): 1}


async def test_a_cached_none_is_no_miss(cache, seen, redis):
    """A None is cached, but for a tenth of the time, and told apart from nothing cached."""
    database, key = Database(None), list_key()
    assert await cache.get(key, MISSING) is MISSING

    values = [await cache.get_or_set(key, database.load, TTL) for _ in range(2)]

    assert values == [None, None]
    assert database.reads == 1
    assert await cache.get(key, MISSING) is None
    assert seen[key.namespace, CacheResult.NEGATIVE] == 2
    assert 0 < await redis.pttl(key.text) <= 60_000


async def test_values_stored_together_do_not_end_together(cache, redis):
    """Lifetimes are spread over the last tenth of the TTL and never exceed it; Redis forgets half a TTL later."""
    written = [list_key() for _ in range(40)]
    for key in written:
        await cache.set(key, "value", 1000)

    fresh_s = [(await envelope_of(redis, key)).fresh_until - time.time() for key in written]
    kept_ms = [await redis.pttl(key.text) for key in written]

    assert max(fresh_s) <= 1000
    assert min(fresh_s) > 890
    assert max(fresh_s) - min(fresh_s) > 20
    assert 1_330_000 < min(kept_ms) <= max(kept_ms) <= 1_500_000


async def envelope_of(redis, key):
    """What lies in Redis under a key, whatever its generations."""
    return msgspec.msgpack.decode((await redis.get(key.text))[1:], type=Envelope)


async def test_callers_have_copies_of_their_own(cache):
    """Who changes what it was given changes nobody else's value."""
    database, key = Database({"tags": []}), list_key()

    first, second = await asyncio.gather(*(cache.get_or_set(key, database.load, TTL) for _ in range(2)))
    first["tags"].append("mine")

    assert second == await cache.get(key) == {"tags": []}


async def test_a_hundred_concurrent_callers_load_once(cache):
    """A hundred callers of a cold key, on as many connections as they need, cost one load, even an instant one."""
    for _ in range(5):
        database, key = Database(), list_key()

        values = await asyncio.gather(*(cache.get_or_set(key, database.load, TTL) for _ in range(100)))

        assert values == ["v0"] * 100
        assert database.reads == 1


async def test_a_failed_load_caches_nothing(cache):
    """The loader's error reaches every caller, and the next read loads again."""
    database, key = Database(LookupError("gone")), list_key()

    outcomes = await asyncio.gather(
        *(cache.get_or_set(key, database.load, TTL) for _ in range(3)), return_exceptions=True
    )
    database.row = "back"

    assert [str(outcome) for outcome in outcomes] == ["gone"] * 3
    assert await cache.get_or_set(key, database.load, TTL) == "back"


async def test_a_value_that_is_too_large_is_returned_but_not_kept(cache):
    """A value over 256 KiB is refused and counted, and replaces nothing that is served afterwards."""
    database, key = Database("x" * 300_000), list_key()
    refused = metrics.cache_unstored_total.labels(key.namespace.value, "too_large")
    before = refused._value.get()  # noqa: SLF001 - the library has no public way to read one

    assert await cache.get_or_set(key, database.load, TTL) == database.row
    await cache.set(key, "small", TTL)
    await cache.set(key, "x" * 300_000, TTL)

    assert await cache.get(key, MISSING) is MISSING
    assert refused._value.get() == before + 2  # noqa: SLF001 - as above


async def test_a_loader_that_returns_no_plain_data_is_told_at_once(cache):
    """What could not be cached is not returned from the first read either."""
    with pytest.raises(CacheValueError):
        await cache.get_or_set(list_key(), Database(object()).load, TTL)


@pytest.mark.parametrize("damage", [lambda stored: stored[:-3], lambda stored: stored[:-4] + b"\xc1old"])
async def test_damaged_bytes_are_loaded_over(cache, redis, seen, damage):
    """A value that somebody damaged in Redis is loaded again, counted, and served well afterwards."""
    database, key = Database(), list_key()
    await cache.set(key, "old", TTL)
    await redis.set(key.text, damage(await redis.get(key.text)))

    assert await cache.get(key, MISSING) is MISSING
    seen.clear()
    assert await cache.get_or_set(key, database.load, TTL) == "v0"
    assert await cache.get(key) == "v0"
    assert seen[key.namespace, CacheResult.ERROR] == 1
