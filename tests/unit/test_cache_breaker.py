from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.cache import CacheAwayError
from shared.cache import breaker as breaker_module
from shared.cache.breaker import Breaker


class Server:
    """What a breaker sees of Redis: it answers, refuses or hangs."""

    def __init__(self):
        self.error: Exception | None = None
        self.hangs = False
        self.pings = 0
        self.voided = 0
        self.called = asyncio.Event()
        self.meanwhile = lambda: None

    async def ping(self):
        self.pings += 1
        await self._answer()

    async def void_all(self):
        self.meanwhile()
        await self._answer()
        self.voided += 1

    async def _answer(self):
        self.called.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.error:
            raise self.error


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def breaker(server, clock):
    breaker = Breaker(ping=server.ping, void_all=server.void_all, clock=clock)
    yield breaker
    await breaker.close()


async def succeed():
    return "done"


def failing(error):
    async def operation():
        raise error

    return operation


async def attempt(breaker, operation=succeed):
    """The operation's result, or whether it was tried."""
    try:
        return await breaker.run(operation)
    except CacheAwayError as error:
        return "failed" if error.tried else "refused"


async def settle(server):
    """Let the probe in the background run to its end."""
    async with asyncio.timeout(5):
        await server.called.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    server.called.clear()


async def test_one_slow_operation_does_not_open_it(breaker):
    """A timeout alone is no outage while Redis answers a ping."""
    assert await attempt(breaker, failing(RedisTimeoutError())) == "failed"

    assert await attempt(breaker) == "done"


async def test_a_refusal_by_redis_does_not_open_it(breaker, server):
    """A Redis that answers with an error is there; nobody needs to ping it."""
    assert await attempt(breaker, failing(ResponseError("OOM"))) == "failed"

    assert server.pings == 0
    assert await attempt(breaker) == "done"


@pytest.mark.parametrize("hangs", [True, False])
async def test_it_opens_when_the_ping_fails_too(breaker, server, hangs):
    """A dead or hung Redis is left alone after its first failures: those who failed together send one ping."""
    server.error, server.hangs = RedisConnectionError("refused"), hangs

    together = await asyncio.gather(*(attempt(breaker, failing(RedisTimeoutError())) for _ in range(50)))

    assert (together.count("failed"), together.count("refused")) == (8, 42)
    assert server.pings == 1
    assert await attempt(breaker) == "refused"


async def test_a_probe_brings_it_back(breaker, server, clock):
    """After a second one probe asks in the background; the callers go on without Redis until it has answered."""
    server.error = RedisConnectionError("refused")
    await attempt(breaker, failing(RedisConnectionError()))
    await settle(server)

    clock.now = 1.0
    assert [await attempt(breaker) for _ in range(3)] == ["refused"] * 3
    await settle(server)
    assert await attempt(breaker) == "refused"
    assert server.pings == 2

    server.error, clock.now = None, 2.0
    assert await attempt(breaker) == "refused"
    await settle(server)
    assert await attempt(breaker) == "done"
    assert server.voided == 0


async def test_a_missed_invalidation_is_made_good_before_anything_is_read(breaker, server, clock):
    """Once an invalidation was missed, Redis is used again only after everything it held was voided."""
    breaker.owe()
    assert await attempt(breaker) == "refused"

    clock.now, server.error = 1.0, RedisConnectionError("refused")
    await attempt(breaker)
    await settle(server)
    assert await attempt(breaker) == "refused"

    clock.now, server.error = 2.0, None
    await attempt(breaker)
    await settle(server)
    assert await attempt(breaker) == "done"
    assert server.voided == 1


async def test_an_invalidation_missed_during_the_probe_needs_another(breaker, server, clock):
    """A probe does not settle what was missed after it began."""
    breaker.owe()
    server.meanwhile = breaker.owe
    clock.now = 1.0
    await attempt(breaker)
    await settle(server)

    server.meanwhile = lambda: None
    assert await attempt(breaker) == "refused"
    await settle(server)

    assert await attempt(breaker) == "done"
    assert server.voided == 2


async def test_what_is_owed_is_made_good_though_nobody_asks(breaker, server, monkeypatch):
    """A process that only writes makes good what Redis missed, for others read what it left there."""
    monkeypatch.setattr(breaker_module, "_RETRY_AFTER_S", 0.0)
    breaker.owe()

    await settle(server)

    assert server.voided == 1
    assert await attempt(breaker) == "done"


async def test_what_is_owed_is_tried_once_more_at_the_end(breaker, server):
    """A process that stops while it owes an invalidation does not leave it to the others to serve old values."""
    breaker.owe()

    await breaker.close()

    assert server.voided == 1


async def test_it_ends_though_what_is_owed_cannot_be_paid(breaker, server):
    """A Redis that is still away holds no stop up."""
    server.error = RedisConnectionError("refused")
    breaker.owe()

    await breaker.close()

    assert server.voided == 0
