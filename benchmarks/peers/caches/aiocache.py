"""aiocache: its decorator, the one with a lock, or `get` and `set` by hand, which is quicker."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiocache
import msgspec
from aiocache.serializers import BaseSerializer
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from benchmarks.peers.caches.protocol import CONNECT_S, CONNECTIONS_MAX, OPERATION_S, TTL_S, CacheOrder, Load
from benchmarks.peers.caches.roles import run_cache

# It writes a traceback for each failed command; without, it is at its best.
logging.getLogger("aiocache").setLevel(logging.CRITICAL)
_LEASE_S = 10  # how long a load of another process may hold the others up


class _MessagePack(BaseSerializer):  # type: ignore[misc] # the library has no types
    DEFAULT_ENCODING = None

    def dumps(self, value: Any) -> bytes:
        return msgspec.msgpack.encode(value)

    def loads(self, value: bytes | None) -> Any:
        return None if value is None else msgspec.msgpack.decode(value)


class _Cache:
    def __init__(self, cache: Any, *, api: str) -> None:
        self._cache = cache
        self.read = self._get_and_set if api == "get and set" else self._decorated(lock=api == "locking decorator")

    async def _get_and_set(self, owner: str, name: str, load: Load) -> Any:
        key = f"bench:{owner}:{name}"
        value = await self._cache.get(key)
        if value is None:
            value = await load()
            await self._cache.set(key, value, ttl=TTL_S)
        return value

    def _decorated(self, *, lock: bool) -> Any:
        options: dict[str, Any] = {"ttl": TTL_S, "key_builder": lambda _f, owner, name, _load: f"bench:{owner}:{name}"}
        decorate = aiocache.cached_stampede(lease=_LEASE_S, **options) if lock else aiocache.cached(**options)

        async def read(owner: str, name: str, load: Load) -> Any:  # noqa: ARG001 - they make the key
            return await load()

        decorated = decorate(read)
        decorate.cache = self._cache  # in place of the one in memory that it has made for the function
        return decorated

    async def drop(self, owner: str, name: str) -> None:
        await self._cache.delete(f"bench:{owner}:{name}")

    async def drop_all(self, owner: str) -> None:
        await self._cache.clear(namespace=f"bench:{owner}")


@asynccontextmanager
async def _opened(order: CacheOrder) -> AsyncIterator[_Cache]:
    server = urlsplit(order.url)
    cache = aiocache.RedisCache(
        endpoint=server.hostname,
        port=server.port,
        db=int(server.path.strip("/") or 0),
        password=server.password,
        serializer=_MessagePack(),
        timeout=OPERATION_S if order.role == "outage" else None,
        pool_max_size=CONNECTIONS_MAX,
        create_connection_timeout=CONNECT_S,
        connection_pool_kwargs={"retry": Retry(NoBackoff(), 0)},
    )
    try:
        yield _Cache(cache, api=str(order.settings["api"]))
    finally:
        await cache.close()


if __name__ == "__main__":
    run_cache(_opened)
