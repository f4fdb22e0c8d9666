"""The project's own cache, opened as a service opens it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from benchmarks.peers.caches.protocol import CacheOrder, Load
from benchmarks.peers.caches.roles import run_cache
from shared.cache import CacheNamespace, CacheService, CacheTTL, open_cache
from shared.logs import configure_logs

_ACCOUNT = UUID(int=1)


class _Cache:
    """A key is made for each read, as the gateway's routes do."""

    def __init__(self, cache: CacheService) -> None:
        self._cache = cache

    async def read(self, owner: str, name: str, load: Load) -> Any:
        key = self._cache.key(CacheNamespace.ACCOUNTS_LIST, owner, name)
        return await self._cache.get_or_set(key, load, CacheTTL.MEDIUM)

    async def drop(self, owner: str, _name: str) -> None:
        await self.drop_all(owner)

    async def drop_all(self, owner: str) -> None:
        await self._cache.invalidate_account(_ACCOUNT, user_id=owner)


@asynccontextmanager
async def _opened(order: CacheOrder) -> AsyncIterator[_Cache]:
    configure_logs(service="bench", level="warning", log_format="console")
    async with open_cache(order.url) as cache:
        yield _Cache(cache)


if __name__ == "__main__":
    run_cache(_opened)
