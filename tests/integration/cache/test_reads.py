"""Reads that share a round trip, on a real Redis that counts its commands."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from shared.cache import CacheNamespace, CacheService, CacheTTL
from shared.cache.line import Line

TTL = CacheTTL.MEDIUM
MISSING = object()


async def never():
    raise AssertionError("a cached value was loaded")


async def cached_keys(cache, count):
    """Keys of one user whose values are their numbers."""
    user_id = uuid4()
    keys = [CacheService.key(CacheNamespace.ACCOUNTS_LIST, user_id, number) for number in range(count)]
    for number, key in enumerate(keys):
        await cache.set(key, number, TTL)
    return keys


async def count_of_mgets(redis, reads):
    """How many MGETs Redis was sent while `reads` ran, and their results."""
    await redis.config_resetstat()
    results = await asyncio.gather(*reads)
    statistics = await redis.info("commandstats")
    return statistics["cmdstat_mget"]["calls"], results


async def test_reads_of_one_turn_share_one_command(cache, redis):
    """Fifty reads of twenty values, begun together, are one MGET, and each gets its own value."""
    keys = await cached_keys(cache, 20)

    calls, values = await count_of_mgets(redis, [cache.get_or_set(keys[n % 20], never, TTL) for n in range(50)])

    assert values == [n % 20 for n in range(50)]
    assert calls == 1


async def test_very_many_reads_are_split(cache, redis):
    """No command asks for more than 128 values, so that no answer keeps others waiting for long."""
    keys = [CacheService.key(CacheNamespace.PROTOCOL, number) for number in range(300)]
    await cache.get(keys[0])

    calls, values = await count_of_mgets(redis, [cache.get(key, MISSING) for key in keys])

    assert values == [MISSING] * 300
    assert calls == 3


async def test_readers_of_one_value_have_copies_of_their_own(cache):
    """Who changes what it read together with others changes nobody else's value."""
    [key] = await cached_keys(cache, 1)
    await cache.set(key, {"tags": []}, TTL)

    first, second = await asyncio.gather(*(cache.get_or_set(key, never, TTL) for _ in range(2)))
    first["tags"].append("mine")

    assert second == {"tags": []}


async def test_a_cancelled_reader_harms_no_other(cache):
    """Whoever began the shared read, and whoever else goes away, the others get their values."""
    keys = await cached_keys(cache, 2)
    readers = [asyncio.create_task(cache.get_or_set(keys[n % 2], never, TTL)) for n in range(6)]
    await asyncio.sleep(0)

    for reader in readers[:3]:
        reader.cancel()
    outcomes = await asyncio.gather(*readers, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes[:3]] == [asyncio.CancelledError] * 3
    assert outcomes[3:] == [1, 0, 1]


async def test_users_without_generations_are_read_together_with_others(cache):
    """A batch with first reads of new users answers them and everybody else."""
    [known] = await cached_keys(cache, 1)
    new = [CacheService.key(CacheNamespace.HEALTH, uuid4(), uuid4()) for _ in range(3)]

    values = await asyncio.gather(*(cache.get(key, MISSING) for key in (known, *new)))

    assert values == [0, MISSING, MISSING, MISSING]


async def test_a_reading_connection_that_was_closed_is_replaced_unnoticed(cache, redis):
    """When Redis or the network hung up while nothing was asked, the next read still comes from Redis."""
    [key] = await cached_keys(cache, 1)
    assert await cache.get_or_set(key, never, TTL) == 0

    for client in await redis.client_list():
        if client["cmd"] == "mget":
            await redis.client_kill_filter(_id=client["id"])

    assert await cache.get_or_set(key, never, TTL) == 0


async def test_closing_lets_no_reader_wait(cache):
    """Readers that wait for an answer when the cache is closed are cancelled, not forgotten."""
    [key] = await cached_keys(cache, 1)
    readers = [asyncio.create_task(cache.get(key)) for _ in range(3)]
    await asyncio.sleep(0)

    await cache.close()
    await asyncio.wait(readers)

    assert all(reader.cancelled() for reader in readers)


async def test_a_generation_that_cannot_be_made_keeps_nobody_waiting(cache, redis):
    """When something else lies under a generation's name, its values are loaded and the others served."""
    [poisoned], [served] = await cached_keys(cache, 1), await cached_keys(cache, 1)
    await redis.delete(poisoned.generations[1])
    await redis.rpush(poisoned.generations[1], "no generation")

    async def load():
        return "loaded"

    one, other = await asyncio.gather(cache.get_or_set(poisoned, load, TTL), cache.get_or_set(served, never, TTL))

    assert (one, other) == ("loaded", 0)


async def test_an_answer_too_long_to_arrive_in_time_is_asked_for_in_parts(cache, monkeypatch):
    """When a command for very many values is late, the next ones ask for fewer, and all are served."""
    keys = await cached_keys(cache, 128)
    whole = Line.mget

    async def mget(self, names):
        if len(names) > 100:
            raise TimeoutError
        return await whole(self, names)

    monkeypatch.setattr(Line, "mget", mget)

    assert await asyncio.gather(*(cache.get(key, MISSING) for key in keys)) == [MISSING] * 128
    assert await asyncio.gather(*(cache.get(key, MISSING) for key in keys)) == list(range(128))


async def test_nobody_waits_for_a_closed_cache(cache):
    """Who reads while the cache is closed is cancelled, and who reads afterwards gets no value from Redis."""
    [key] = await cached_keys(cache, 1)
    reader = asyncio.create_task(cache.get(key))
    await asyncio.sleep(0)

    await cache.close()
    await asyncio.wait({reader})

    assert reader.cancelled()
    assert await cache.get(key, MISSING) is MISSING
