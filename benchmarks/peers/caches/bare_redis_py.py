"""The client library alone: GET and decode, else load and SET; SCAN and UNLINK for what belongs together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from redis.asyncio import Redis

from benchmarks.peers.caches.protocol import CONNECTIONS_MAX, TTL_S, CacheOrder, Load
from benchmarks.peers.caches.roles import run_cache

_SCAN_COUNT = 1000


class _Cache:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def read(self, owner: str, name: str, load: Load) -> Any:
        key = f"bench:{owner}:{name}"
        stored = await self._redis.get(key)
        if isinstance(stored, bytes):
            return msgspec.msgpack.decode(stored)
        value = await load()
        await self._redis.set(key, msgspec.msgpack.encode(value), ex=TTL_S)
        return value

    async def drop(self, owner: str, name: str) -> None:
        await self._redis.unlink(f"bench:{owner}:{name}")

    async def drop_all(self, owner: str) -> None:
        cursor = 0
        while True:
            cursor, keys = await self._redis.scan(cursor, match=f"bench:{owner}:*", count=_SCAN_COUNT)
            if keys:
                await self._redis.unlink(*keys)
            if not cursor:
                return


@asynccontextmanager
async def _opened(order: CacheOrder) -> AsyncIterator[_Cache]:
    # But for more connections, with its defaults: without deadlines it is quickest.
    async with Redis.from_url(order.url, max_connections=CONNECTIONS_MAX) as redis:
        yield _Cache(redis)


if __name__ == "__main__":
    run_cache(_opened)
