"""No value from before an invalidation is served after it, however reads and writes race."""

from __future__ import annotations

import asyncio
import random
from uuid import uuid4

import pytest

from shared.cache import (
    CacheNamespace,
    CacheService,
    CacheTTL,
)
from tests.caches import Database, list_key

TTL = CacheTTL.MEDIUM
MISSING = object()


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
