"""One load for all processes, and locks that hold nobody up for long."""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from uuid import uuid4

import pytest

from shared.cache import CacheAwayError, CacheTTL, lease
from shared.cache.breaker import Breaker
from shared.cache.keys import lock_name
from tests.caches import Loader, list_key, of_lists

TTL = CacheTTL.MEDIUM
LONG_S = 600.0  # longer than any test
_DEADLINE_S = 30


@pytest.fixture
def long_leases(monkeypatch):
    """Who waits for a lock to end by itself does not end within the test."""
    monkeypatch.setattr(lease, "LEASE_S", LONG_S)


@pytest.fixture
def waits(monkeypatch):
    """Set once somebody has found a lock held, and asked again."""
    asked_again = asyncio.Event()

    def pauses():
        while True:
            yield 0.001
            asked_again.set()

    monkeypatch.setattr(lease, "_pauses", pauses)
    return asked_again


async def lock_of(cache, redis, key):
    """The name of the lock of a key under its present generations."""
    await cache.get(key)
    return lock_name(key, under=tuple(await redis.mget(key.generations)))


async def held_elsewhere(cache, redis, key):
    """Have a process that does nothing more hold the lock of a key."""
    await redis.set(await lock_of(cache, redis, key), b"theirs", px=round(LONG_S * 1000))


async def test_a_hundred_readers_in_two_processes_load_once(redis_url):
    """However cold the value, two processes with fifty readers each load it once, in each of three rounds."""
    user_id = str(uuid4())
    processes = [await start_readers(redis_url, user_id) for _ in range(2)]
    try:
        assert [await line_of(process) for process in processes] == [b"ready\n"] * 2
        rounds = []
        for name in (b"first\n", b"second\n", b"third\n"):
            for process in processes:
                process.stdin.write(name)
            rounds.append(sum([int(await line_of(process)) for process in processes]))
    finally:
        for process in processes:
            process.kill()
            await process.communicate()

    assert rounds == [1, 1, 1]


async def start_readers(redis_url, user_id) -> Any:
    """A process with fifty readers."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "tests.cache_readers", redis_url, user_id, "50"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def line_of(process) -> Any:
    async with asyncio.timeout(_DEADLINE_S):
        return await process.stdout.readline()


@pytest.mark.usefixtures("long_leases")
async def test_who_comes_second_gets_the_first_one_s_value(cache, other_process, seen, waits):
    """A reader who finds another process loading gets that value, which is a hit."""
    key, first, second = list_key(), Loader(), Loader()
    first.may_end.clear()
    loading = asyncio.create_task(other_process.get_or_set(key, first, TTL))
    await first.began.wait()

    waiting = asyncio.create_task(cache.get_or_set(key, second, TTL))
    await waits.wait()
    first.may_end.set()

    assert [await loading, await waiting] == ["loaded", "loaded"]
    assert second.runs == 0
    assert seen == of_lists(hit=1)


async def test_a_dead_holder_costs_one_lease_at_most(cache, redis, monkeypatch, seen):
    """A lock that nobody gives back is waited for as long as a lease, then each process loads for itself."""
    monkeypatch.setattr(lease, "LEASE_S", 0.1)
    key, loader = list_key(), Loader()
    await held_elsewhere(cache, redis, key)
    seen.clear()

    assert await cache.get_or_set(key, loader, TTL) == "loaded"

    assert loader.runs == 1
    assert seen == of_lists(miss=1)
    assert await cache.get(key) == "loaded"


@pytest.mark.usefixtures("long_leases")
async def test_a_lock_from_before_an_invalidation_holds_nobody_up(cache, redis):
    """Readers who come after an invalidation neither wait for a load from before it nor share it."""
    user_id = uuid4()
    key, loader = list_key(user_id), Loader("new")
    await held_elsewhere(cache, redis, key)

    await cache.invalidate_user(user_id)

    assert await cache.get_or_set(key, loader, TTL) == "new"


@pytest.mark.usefixtures("long_leases")
async def test_an_invalidation_frees_those_who_wait_already(cache, other_process, redis, waits):
    """A reader who waits for a load goes on by himself once that load cannot be served any more."""
    user_id = uuid4()
    key, old, new = list_key(user_id), Loader("old"), Loader("new")
    old.may_end.clear()
    overtaken = asyncio.create_task(other_process.get_or_set(key, old, TTL))
    await old.began.wait()
    waiting = asyncio.create_task(cache.get_or_set(key, new, TTL))
    await waits.wait()

    await other_process.invalidate_user(user_id)

    assert await waiting == "new"
    old.may_end.set()
    assert await overtaken == "old"
    assert await cache.get(key, "nothing") in {"new", "nothing"}
    assert await redis.keys("*:lock:*") == []


@pytest.mark.usefixtures("long_leases")
async def test_a_failed_load_holds_nobody_up(cache, other_process):
    """When a load fails, the next reader loads at once."""
    key, failing, loader = list_key(), Loader(LookupError("gone")), Loader()

    with pytest.raises(LookupError, match="gone"):
        await other_process.get_or_set(key, failing, TTL)

    assert await cache.get_or_set(key, loader, TTL) == "loaded"


@pytest.mark.usefixtures("long_leases")
async def test_a_value_that_is_not_kept_holds_nobody_up(cache, other_process):
    """What is too large to be cached is loaded by each process, without waiting."""
    key, loader = list_key(), Loader("x" * 300_000)

    values = [await each.get_or_set(key, loader, TTL) for each in (cache, other_process)]

    assert values == [loader.value] * 2
    assert loader.runs == 2


@pytest.mark.usefixtures("long_leases")
async def test_a_load_that_is_cut_short_gives_its_lock_back(cache, other_process):
    """A process that is told to stop while it loads holds the others up no longer."""
    key, cut, loader = list_key(), Loader(), Loader()
    cut.may_end.clear()
    reader = asyncio.create_task(other_process.get_or_set(key, cut, TTL))
    await cut.began.wait()

    await other_process.close()
    await asyncio.wait({reader})

    assert reader.cancelled()
    assert await cache.get_or_set(key, loader, TTL) == "loaded"


async def test_a_lock_is_given_back_only_by_its_holder(cache, redis):
    """A load that outlived its lease leaves the lock to whoever holds it now."""
    key, loader = list_key(), Loader()
    loader.may_end.clear()
    lock = await lock_of(cache, redis, key)
    slow = asyncio.create_task(cache.get_or_set(key, loader, TTL))
    await loader.began.wait()

    await redis.set(lock, b"theirs", px=round(LONG_S * 1000))
    loader.may_end.set()
    await slow

    assert await redis.get(lock) == b"theirs"
    assert await cache.get(key) == "loaded"


async def test_a_claim_whose_answer_was_late_leaves_no_lock(redis):
    """A lock that Redis gave to a process which did not hear of it holds nobody up."""
    leases = lease.Leases(redis, breaker=LateOnce())
    key, under = list_key(), (b"seen",)

    with pytest.raises(CacheAwayError):
        await leases.claim(key, under=under)

    assert (await leases.claim(key, under=under)).held


class LateOnce(Breaker):
    """Lets the first operation take effect and its answer come too late."""

    def __init__(self):
        self.late = False

    async def run(self, operation, **_):
        result = await operation()
        if not self.late:
            self.late = True
            raise CacheAwayError(tried=True)
        return result
