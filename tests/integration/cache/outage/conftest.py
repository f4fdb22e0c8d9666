"""Two caches on a Redis of the test's own."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from shared.cache import CacheService, connect_redis
from tests.private_redis import Server


@pytest.fixture(autouse=True)
def patience():
    """The product's own, in place of that for tests without an outage."""


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
