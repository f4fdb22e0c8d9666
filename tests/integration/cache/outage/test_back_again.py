"""When Redis is back: it is used again, and serves nothing from before a change it was not told of."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from shared.cache import (
    CacheResult,
    CacheTTL,
    connect_redis,
)
from tests.caches import Crowd, list_key
from tests.private_redis import DEADLINE_S

TTL = CacheTTL.MEDIUM
MISSING = object()


async def use_again(cache, clock, seen):
    """Read until the cache has found Redis again; each read is a second after the last."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            clock.now += 1.0
            seen.clear()
            await cache.get(list_key())
            if seen[CacheResult.MISS]:
                return
            await asyncio.sleep(0)


async def test_the_cache_comes_back_by_itself(cache, server, clock, seen):
    """When Redis is there again it is used again, and what it kept is still served."""
    key = list_key()
    await cache.set(key, "cached", TTL)
    server.hang()
    await cache.get(key)
    assert await cache.get(key, MISSING) is MISSING

    server.wake()
    await use_again(cache, clock, seen)

    assert await cache.get(key) == "cached"


@pytest.mark.parametrize("notices", ["the invalidation", "a read before it"])
@pytest.mark.parametrize("change", ["user", "account", "delete", "set"])
async def test_a_change_that_redis_missed_is_not_forgotten(cache, server, clock, seen, change, notices):
    """After a change that could not be sent, nothing from before it is served when Redis is back."""
    user_id = uuid4()
    key = list_key(user_id)
    await cache.set(key, "old", TTL)
    server.hang()
    if notices == "a read before it":
        await cache.get(key)

    if change == "user":
        await cache.invalidate_user(user_id)
    elif change == "account":
        await cache.invalidate_account(uuid4(), user_id=user_id)
    elif change == "delete":
        await cache.delete(key)
    else:
        await cache.set(key, "new", TTL)
    server.wake()
    await use_again(cache, clock, seen)

    assert await cache.get(key, MISSING) in {MISSING, "new"}
    assert await cache.get_or_set(key, Crowd("new"), TTL) == "new"


async def test_other_processes_do_not_serve_what_was_missed_either(cache, other_process, server, clock, seen):
    """What one process could not invalidate is void for all of them once it has found Redis again."""
    user_id = uuid4()
    key = list_key(user_id)
    await other_process.set(key, "old", TTL)
    server.hang()
    await cache.invalidate_user(user_id)

    server.wake()
    await use_again(cache, clock, seen)

    assert await other_process.get(key, MISSING) is MISSING


async def test_a_load_from_before_a_missed_invalidation_is_not_shared_after_it(cache, server):
    """A caller who comes after an invalidation does not join a load from before it, though Redis could not tell."""
    await server.kill()
    user_id = uuid4()
    key, before, after = list_key(user_id), Crowd("old"), Crowd("new")
    before.may_end.clear()
    overtaken = asyncio.create_task(cache.get_or_set(key, before, TTL))
    await before.crowded.wait()

    await cache.invalidate_user(user_id)
    value = await cache.get_or_set(key, after, TTL)
    before.may_end.set()

    assert value == "new"
    assert await overtaken == "old"


async def test_a_restarted_redis_is_used_again(cache, server, clock, seen):
    """Connections to a Redis that died are replaced by new ones."""
    await asyncio.gather(*(cache.set(list_key(), "value", TTL) for _ in range(20)))
    await server.kill()
    await cache.get(list_key())

    await server.start()
    await use_again(cache, clock, seen)
    await asyncio.gather(*(cache.set(list_key(), "value", TTL) for _ in range(20)))

    key = list_key()
    await cache.set(key, "value", TTL)
    assert await cache.get(key) == "value"


async def test_what_redis_missed_is_made_good_when_a_process_stops(cache, other_process, server):
    """A process that stops after it could not invalidate does not leave the old value to the others."""
    user_id = uuid4()
    key = list_key(user_id)
    await other_process.set(key, "old", TTL)
    client: Any = connect_redis(server.url)
    await client.config_set("maxmemory", 1)  # Redis answers, and takes nothing
    await cache.invalidate_user(user_id)
    await client.config_set("maxmemory", 0)
    await client.aclose()

    await cache.close()

    assert await other_process.get(key, MISSING) is MISSING
