"""The cache while its Redis is dead or hung: a private server that the tests kill, stop and start again."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Connection
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.cache import (
    CacheAwayError,
    CacheNamespace,
    CacheResult,
    CacheService,
    CacheTTL,
    connect_redis,
    lease,
    open_cache,
)
from shared.cache.keys import lock_name

TTL = CacheTTL.MEDIUM
MISSING = object()
DEADLINE_S = 20


class Server:
    """A Redis of one's own."""

    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self):
        options = f"--port {self.port} --bind 127.0.0.1 --dir {self.directory} --appendonly no"
        self.process = await asyncio.create_subprocess_exec(
            self.binary, *options.split(), "--save", "", stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout
        async with asyncio.timeout(DEADLINE_S):
            while b"Ready to accept connections" not in (line := await self.process.stdout.readline()):
                assert line, "redis-server ended before it was ready"

    async def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.communicate()

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
async def server(tmp_path):
    binary = shutil.which("redis-server")
    assert binary, "install redis-server"
    server = Server(binary, tmp_path)
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def seen():
    return Counter()


@pytest.fixture
async def cache(server, clock, seen):
    client = connect_redis(server.url)
    cache = CacheService(client, observe=lambda _, result: seen.update([result]), clock=clock)
    yield cache
    await cache.close()
    await client.aclose()


@pytest.fixture
async def other_process(server):
    """A cache that never notices the outage, for it only looks before and after."""
    client = connect_redis(server.url)
    cache = CacheService(client, observe=lambda *_: None)
    yield cache
    await cache.close()
    await client.aclose()


class Loader:
    """Counts its runs and how many run at once, and says when that reaches `crowd`."""

    def __init__(self, value="loaded", crowd=1):
        self.value, self.crowd = value, crowd
        self.crowded = asyncio.Event()
        self.runs = self.running = self.most = 0
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self):
        self.runs += 1
        self.running += 1
        self.most = max(self.most, self.running)
        if self.running >= self.crowd:
            self.crowded.set()
        await self.may_end.wait()
        self.running -= 1
        return self.value


def new_key(user_id=None):
    return CacheService.key(CacheNamespace.ACCOUNTS_LIST, user_id or uuid4())


async def use_again(cache, clock, seen):
    """Read until the cache has found Redis again; each read is a second after the last."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            clock.now += 1.0
            seen.clear()
            await cache.get(new_key())
            if seen[CacheResult.MISS]:
                return
            await asyncio.sleep(0)


@pytest.mark.parametrize("fault", ["dead", "hung"])
async def test_reads_go_on_without_redis(cache, server, seen, fault):
    """A dead or hung Redis costs the first read one failure; the next ones do not ask it at all."""
    key = new_key()
    await cache.set(key, "cached", TTL)
    await (server.kill() if fault == "dead" else asyncio.to_thread(server.hang))

    values = [await cache.get_or_set(key, Loader(), TTL) for _ in range(20)]

    assert values == ["loaded"] * 20
    assert seen == {CacheResult.ERROR: 1, CacheResult.BYPASS: 19}


async def test_a_hung_redis_is_asked_once_by_callers_that_come_together(cache, server, seen):
    """Fifty callers that meet a hung Redis together share one load, and the fifty after them do not wait for it."""
    server.hang()
    key, loader = new_key(), Loader()

    await asyncio.gather(*(cache.get_or_set(key, loader, TTL) for _ in range(50)))

    assert loader.runs == 1
    assert seen == {CacheResult.ERROR: 50}
    await asyncio.gather(*(cache.get_or_set(key, loader, TTL) for _ in range(50)))
    assert seen[CacheResult.BYPASS] == 50


async def test_reads_of_a_hung_redis_wait_together(cache, server, seen):
    """Three hundred reads of different values, more than one command takes, wait for one failure, not one each."""
    await cache.get(new_key())
    server.hang()
    seen.clear()

    await asyncio.gather(*(cache.get(new_key()) for _ in range(300)))

    assert seen == {CacheResult.ERROR: 128, CacheResult.BYPASS: 172}


async def test_no_lock_is_waited_for_without_redis(cache, server, monkeypatch):
    """A reader who waits for another process's load goes on by himself when Redis hangs."""
    monkeypatch.setattr(lease, "LEASE_S", 600.0)
    key, loader = new_key(), Loader()
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
    await cache.get_or_set(new_key(), Loader(), TTL)
    shared, many, key = Loader(), Loader(crowd=16), new_key()
    many.may_end.clear()

    await asyncio.gather(*(cache.get_or_set(key, shared, TTL) for _ in range(100)))
    reads = [asyncio.create_task(cache.get_or_set(new_key(), many, TTL)) for _ in range(100)]
    await many.crowded.wait()
    many.may_end.set()
    await asyncio.gather(*reads)

    assert shared.runs == 1
    assert many.runs == 100
    assert many.most == 16


async def test_loaders_that_read_through_the_cache_do_not_block_each_other(cache, server):
    """Many loaders that need other cached values all end, though each needs a place for two loads."""
    await server.kill()
    await cache.get_or_set(new_key(), Loader(), TTL)

    async def nested():
        return await cache.get_or_set(new_key(), Loader("inner"), TTL)

    async with asyncio.timeout(DEADLINE_S):
        values = await asyncio.gather(*(cache.get_or_set(new_key(), nested, TTL) for _ in range(100)))

    assert values == ["inner"] * 100


async def test_the_cache_comes_back_by_itself(cache, server, clock, seen):
    """When Redis is there again it is used again, and what it kept is still served."""
    key = new_key()
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
    key = new_key(user_id)
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
    assert await cache.get_or_set(key, Loader("new"), TTL) == "new"


async def test_other_processes_do_not_serve_what_was_missed_either(cache, other_process, server, clock, seen):
    """What one process could not invalidate is void for all of them once it has found Redis again."""
    user_id = uuid4()
    key = new_key(user_id)
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
    key, before, after = new_key(user_id), Loader("old"), Loader("new")
    before.may_end.clear()
    overtaken = asyncio.create_task(cache.get_or_set(key, before, TTL))
    await before.crowded.wait()

    await cache.invalidate_user(user_id)
    value = await cache.get_or_set(key, after, TTL)
    before.may_end.set()

    assert value == "new"
    assert await overtaken == "old"


async def test_sweeping_says_that_redis_is_away(cache, server):
    """An operator who sweeps by pattern is told that nothing could be swept."""
    await server.kill()

    with pytest.raises(CacheAwayError):
        await cache.del_pattern("accounts:list:*")
    assert await cache.get_or_set(new_key(), Loader(), TTL) == "loaded"


async def test_a_restarted_redis_is_used_again(cache, server, clock, seen):
    """Connections to a Redis that died are replaced by new ones."""
    await asyncio.gather(*(cache.set(new_key(), "value", TTL) for _ in range(20)))
    await server.kill()
    await cache.get(new_key())

    await server.start()
    await use_again(cache, clock, seen)
    await asyncio.gather(*(cache.set(new_key(), "value", TTL) for _ in range(20)))

    key = new_key()
    await cache.set(key, "value", TTL)
    assert await cache.get(key) == "value"


async def test_a_load_that_waits_for_a_place_is_not_waited_for_in_one(cache, server):
    """Loaders that hold every place and need a value which somebody else waits to load do not stop each other."""
    await server.kill()
    await cache.get_or_set(new_key(), Loader(), TTL)
    needed, crowd = new_key(), Loader(crowd=16)
    crowd.may_end.clear()

    async def nested():
        await crowd()
        return await cache.get_or_set(needed, Loader("inner"), TTL)

    reads = [asyncio.create_task(cache.get_or_set(new_key(), nested, TTL)) for _ in range(16)]
    await crowd.crowded.wait()
    reads.append(asyncio.create_task(cache.get_or_set(needed, Loader("inner"), TTL)))
    await asyncio.sleep(0)
    crowd.may_end.set()

    async with asyncio.timeout(DEADLINE_S):
        assert await asyncio.gather(*reads) == ["inner"] * 17


async def test_what_redis_missed_is_made_good_when_a_process_stops(cache, other_process, server):
    """A process that stops after it could not invalidate does not leave the old value to the others."""
    user_id = uuid4()
    key = new_key(user_id)
    await other_process.set(key, "old", TTL)
    client: Any = connect_redis(server.url)
    await client.config_set("maxmemory", 1)  # Redis answers, and takes nothing
    await cache.invalidate_user(user_id)
    await client.config_set("maxmemory", 0)
    await client.aclose()

    await cache.close()

    assert await other_process.get(key, MISSING) is MISSING


async def test_a_server_that_says_no_farewell_holds_no_stop_up(server, monkeypatch):
    """Over TLS a connection to a hung Redis does not close in time; the cache closes all the same."""
    hang_up = Connection.disconnect

    async def disconnect(self, *, nowait=False, **reasons):
        await hang_up(self, nowait=True, **reasons)
        if not nowait:
            raise RedisTimeoutError

    async with open_cache(server.url) as cache:
        await cache.set(new_key(), "value", TTL)
        await cache.get(new_key())
        monkeypatch.setattr(Connection, "disconnect", disconnect)
