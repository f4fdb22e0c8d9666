"""cashews: its decorator, which merges callers of one process, or its `get_or_set`; nothing kept in the process."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import cashews
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from benchmarks.peers.caches.protocol import CONNECT_S, CONNECTIONS_MAX, OPERATION_S, TTL_S, CacheOrder, Load
from benchmarks.peers.caches.roles import run_cache

# It writes a traceback for each failed command; without, it is at its best.
logging.getLogger("cashews").setLevel(logging.CRITICAL)


class _Cache:
    def __init__(self, cache: cashews.Cache, *, api: str) -> None:
        self._cache = cache
        self.read = self._get_or_set if api == "get_or_set" else self._decorated(lock=api == "locking decorator")

    async def _get_or_set(self, owner: str, name: str, load: Load) -> Any:
        return await self._cache.get_or_set(f"bench:{owner}:{name}", load, expire=TTL_S)

    def _decorated(self, *, lock: bool) -> Any:
        async def read(owner: str, name: str, load: Load) -> Any:  # noqa: ARG001 - they make the key
            return await load()

        return self._cache(ttl=TTL_S, key="bench:{owner}:{name}", lock=lock)(read)

    async def drop(self, owner: str, name: str) -> None:
        await self._cache.delete(f"bench:{owner}:{name}")

    async def drop_all(self, owner: str) -> None:
        await self._cache.delete_match(f"bench:{owner}:*")


@asynccontextmanager
async def _opened(order: CacheOrder) -> AsyncIterator[_Cache]:
    cache = cashews.Cache()
    cache.setup(
        order.url,
        client_side=False,
        check_repr=False,
        max_connections=CONNECTIONS_MAX,
        socket_timeout=OPERATION_S,
        socket_connect_timeout=CONNECT_S,
        retry=Retry(NoBackoff(), 0),
    )
    await cache.init()
    try:
        yield _Cache(cache, api=str(order.settings["api"]))
    finally:
        await cache.close()


if __name__ == "__main__":
    run_cache(_opened)
