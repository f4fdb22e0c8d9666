"""The cache while its Redis is dead or hung: a private server that the tests kill, stop and start again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Connection
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.cache import (
    CacheAwayError,
    CacheResult,
    CacheTTL,
    connect_redis,
    lease,
    open_cache,
)
from shared.cache.keys import lock_name
from tests.caches import Crowd, list_key
from tests.private_redis import DEADLINE_S

TTL = CacheTTL.MEDIUM
MISSING = object()


@pytest.mark.parametrize("fault", ["dead", "hung"])
async def test_reads_go_on_without_redis(cache, server, seen, fault):
    """A dead or hung Redis costs the first read one failure; the next ones do not ask it at all."""
    key = list_key()
    await cache.set(key, "cached", TTL)
    await (server.kill() if fault == "dead" else asyncio.to_thread(server.hang))

    values = [await cache.get_or_set(key, Crowd(), TTL) for _ in range(20)]

    assert values == ["loaded"] * 20
    assert seen == {CacheResult.ERROR: 1, CacheResult.BYPASS: 19}


async def test_a_hung_redis_is_asked_once_by_callers_that_come_together(cache, server, seen):
    """Fifty callers that meet a hung Redis together share one load, and the fifty after them do not wait for it."""
    server.hang()
    key, loader = list_key(), Crowd()

    await asyncio.gather(*(cache.get_or_set(key, loader, TTL) for _ in range(50)))

    assert loader.runs == 1
    assert seen == {CacheResult.ERROR: 50}
    await asyncio.gather(*(cache.get_or_set(key, loader, TTL) for _ in range(50)))
    assert seen[CacheResult.BYPASS] == 50


async def test_reads_of_a_hung_redis_wait_together(cache, server, seen):
    """Three hundred reads of different values, more than one command takes, wait for one failure, not one each."""
    await cache.get(list_key())
    server.hang()
    seen.clear()

    await asyncio.gather(*(cache.get(list_key()) for _ in range(300)))

    assert seen == {CacheResult.ERROR: 128, CacheResult.BYPASS: 172}


async def test_no_lock_is_waited_for_without_redis(cache, server, monkeypatch):
    """A reader who waits for another process's load goes on by himself when Redis hangs."""
    monkeypatch.setattr(lease, "LEASE_S", 600.0)
    key, loader = list_key(), Crowd()
    await cache.get(key)
    client: Any = connect_redis(server.url)
    lock = lock_name(key, under=tuple(await client.mget(key.generations)))
    await client.set(lock, b"theirs", px=600_000)
    await client.aclose()
    asked_again = asyncio.Event()

    def pauses():
        while True:
            yield 0.001
            asked_again.set()

    monkeypatch.setattr(lease, "_pauses", pauses)
    reader = asyncio.create_task(cache.get_or_set(key, loader, TTL))
    await asked_again.wait()

    server.hang()

    assert await reader == "loaded"


async def test_loads_stay_shared_and_bounded_without_redis(cache, server):
    """Without Redis the database sees one load for equal reads and at most sixteen at a time for different ones."""
    await server.kill()
    await cache.get_or_set(list_key(), Crowd(), TTL)
    shared, many, key = Crowd(), Crowd(crowd=16), list_key()
    many.may_end.clear()

    await asyncio.gather(*(cache.get_or_set(key, shared, TTL) for _ in range(100)))
    reads = [asyncio.create_task(cache.get_or_set(list_key(), many, TTL)) for _ in range(100)]
    await many.crowded.wait()
    many.may_end.set()
    await asyncio.gather(*reads)

    assert shared.runs == 1
    assert many.runs == 100
    assert many.most == 16


async def test_loaders_that_read_through_the_cache_do_not_block_each_other(cache, server):
    """Many loaders that need other cached values all end, though each needs a place for two loads."""
    await server.kill()
    await cache.get_or_set(list_key(), Crowd(), TTL)

    async def nested():
        return await cache.get_or_set(list_key(), Crowd("inner"), TTL)

    async with asyncio.timeout(DEADLINE_S):
        values = await asyncio.gather(*(cache.get_or_set(list_key(), nested, TTL) for _ in range(100)))

    assert values == ["inner"] * 100


async def test_sweeping_says_that_redis_is_away(cache, server):
    """An operator who sweeps by pattern is told that nothing could be swept."""
    await server.kill()

    with pytest.raises(CacheAwayError):
        await cache.del_pattern("accounts:list:*")
    assert await cache.get_or_set(list_key(), Crowd(), TTL) == "loaded"


async def test_a_load_that_waits_for_a_place_is_not_waited_for_in_one(cache, server):
    """Loaders that hold every place and need a value which somebody else waits to load do not stop each other."""
    await server.kill()
    await cache.get_or_set(list_key(), Crowd(), TTL)
    needed, crowd = list_key(), Crowd(crowd=16)
    crowd.may_end.clear()

    async def nested():
        await crowd()
        return await cache.get_or_set(needed, Crowd("inner"), TTL)

    reads = [asyncio.create_task(cache.get_or_set(list_key(), nested, TTL)) for _ in range(16)]
    await crowd.crowded.wait()
    reads.append(asyncio.create_task(cache.get_or_set(needed, Crowd("inner"), TTL)))
    await asyncio.sleep(0)
    crowd.may_end.set()

    async with asyncio.timeout(DEADLINE_S):
        assert await asyncio.gather(*reads) == ["inner"] * 17


async def test_a_server_that_says_no_farewell_holds_no_stop_up(server, monkeypatch):
    """Over TLS a connection to a hung Redis does not close in time; the cache closes all the same."""
    hang_up = Connection.disconnect

    async def disconnect(self, *, nowait=False, **reasons):
        await hang_up(self, nowait=True, **reasons)
        if not nowait:
            raise RedisTimeoutError

    async with open_cache(server.url) as cache:
        await cache.set(list_key(), "value", TTL)
        await cache.get(list_key())
        monkeypatch.setattr(Connection, "disconnect", disconnect)
