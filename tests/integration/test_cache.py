"""The cache on a real Redis. Order is made by events; no test waits for time to pass."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from uuid import uuid4

import msgspec
import pytest

from shared import metrics
from shared.cache import (
    CacheKeyError,
    CacheNamespace,
    CacheResult,
    CacheService,
    CacheSweepError,
    CacheTTL,
    CacheValueError,
    connect_redis,
)
from shared.cache.envelope import Envelope
from shared.cache.keys import ROOT_GENERATION

TTL = CacheTTL.MEDIUM
MISSING = object()


@pytest.fixture
async def redis(redis_url):
    client = connect_redis(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def seen():
    return Counter()


def observer(seen):
    return lambda namespace, result: seen.update([(namespace, result)])


@pytest.fixture
async def cache(redis, seen):
    cache = CacheService(redis, observe=observer(seen))
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


class Database:
    """One row that loaders read; a read can be held after it saw the row and before it returns."""

    def __init__(self, row="v0"):
        self.row = row
        self.reads = 0
        self.read = asyncio.Event()
        self.may_return = asyncio.Event()
        self.may_return.set()

    async def load(self):
        self.reads += 1
        row = self.row
        self.read.set()
        await self.may_return.wait()
        if isinstance(row, Exception):
            raise row
        return row


def list_key(user_id=None):
    return CacheService.key(CacheNamespace.ACCOUNTS_LIST, user_id or uuid4(), "active")


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


@pytest.mark.parametrize("by", ["user", "account", "account alone"])
@pytest.mark.parametrize("where", ["this process", "another process"])
async def test_a_load_that_an_invalidation_overtook_is_never_served(cache, other_process, by, where):
    """A value read before a change and stored after its invalidation is void, in 300 such races out of 300."""
    invalidator = cache if where == "this process" else other_process
    stale = 0
    for _ in range(50):
        user_id, account_id = uuid4(), uuid4()
        database, key = Database("old"), list_key(user_id)
        database.may_return.clear()
        overtaken = asyncio.create_task(cache.get_or_set(key, database.load, TTL))
        await database.read.wait()

        database.row = "new"
        await invalidate(invalidator, by, user_id, account_id)
        during = asyncio.create_task(cache.get_or_set(key, database.load, TTL))
        database.may_return.set()
        await overtaken

        after = await other_process.get_or_set(key, database.load, TTL)
        stale += [await during, after, await cache.get(key)].count("old")

    assert stale == 0


async def invalidate(cache, by, user_id, account_id):
    if by == "user":
        await cache.invalidate_user(user_id)
    else:
        await cache.invalidate_account(account_id, user_id=user_id if by == "account" else None)


async def test_no_read_is_older_than_the_last_invalidation_before_it(cache, other_process):
    """Under random readers and writers in two processes no read returns what was invalidated before it began."""
    chance = random.Random(7)  # noqa: S311 - the same interleavings in every run
    user_id, done = uuid4(), 0
    key, database = list_key(user_id), Database(0)

    async def write():
        nonlocal done
        for number in range(1, 60):
            database.row = number
            await chance.choice([cache, other_process]).invalidate_user(user_id)
            done = number
            await yield_some(chance)

    async def read():
        for _ in range(150):
            floor = done
            value = await chance.choice([cache, other_process]).get_or_set(key, slow_load, TTL)
            assert value >= floor
            await yield_some(chance)

    async def slow_load():
        row = database.row
        await yield_some(chance)
        return row

    await asyncio.gather(write(), *(read() for _ in range(8)))


async def yield_some(chance):
    for _ in range(chance.randrange(12)):
        await asyncio.sleep(0)


async def test_a_lost_generation_voids_what_was_stored_under_it(cache, redis):
    """When Redis evicts a generation, values loaded under it never come back, not even when it is made anew."""
    database, key = Database("old"), list_key()
    await cache.get_or_set(key, database.load, TTL)
    database.row = "new"

    await redis.delete(*key.generations[1:])

    assert await cache.get(key, MISSING) is MISSING
    assert await cache.get_or_set(key, database.load, TTL) == "new"


async def test_a_flush_and_an_invalidation_during_a_load_void_it(cache, redis):
    """A load that began before Redis lost its generations is not shared with a caller who came after the change."""
    user_id, database = uuid4(), Database("old")
    key = list_key(user_id)
    database.may_return.clear()
    overtaken = asyncio.create_task(cache.get_or_set(key, database.load, TTL))
    await database.read.wait()

    database.row = "new"
    await cache.invalidate_user(user_id)
    await redis.delete(*key.generations)
    database.read.clear()
    later = asyncio.create_task(cache.get_or_set(key, database.load, TTL))
    await database.read.wait()
    database.may_return.set()

    assert await overtaken == "old"
    assert await later == "new"
    assert await cache.get(key) == "new"


async def test_a_cancelled_request_still_invalidates(cache):
    """An invalidation whose caller goes away half-way is carried out."""
    user_id = uuid4()
    key = list_key(user_id)
    await cache.set(key, "old", TTL)

    request = asyncio.create_task(cache.invalidate_user(user_id))
    await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait({request})
    await cache.close()

    assert request.cancelled()
    assert await cache.get(key, MISSING) is MISSING


async def test_tenants_do_not_void_each_other(cache):
    """An invalidation of one user and account leaves every other's values where they are."""
    user_id, account_id = uuid4(), uuid4()
    neighbours = [list_key(), CacheService.key(CacheNamespace.HEALTH, user_id, uuid4())]
    voided = [list_key(user_id), CacheService.key(CacheNamespace.HEALTH, user_id, account_id)]
    for key in neighbours + voided:
        await cache.set(key, "value", TTL)

    await cache.invalidate_account(account_id, user_id=user_id)

    assert [await cache.get(key) for key in neighbours] == ["value"] * 2
    assert [await cache.get(key) for key in voided] == [None] * 2


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
