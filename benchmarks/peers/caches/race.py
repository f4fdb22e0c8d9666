"""Role `race`: a value is loaded while the row it is made of changes and is invalidated."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from benchmarks.peers.caches.protocol import Cache, CacheOrder, OpenCache
from benchmarks.peers.protocol import say

_NAME = "race"
_OLD, _NEW = "old", "new"
# When the load ends, seen from the invalidation.
_MOMENTS = ("before", "during", "after", "read while it goes on")


class _Row:
    """A row that loaders read; a read can be held after it saw the row and before it returns."""

    def __init__(self) -> None:
        self.value = _OLD
        self.seen = asyncio.Event()
        self.may_return = asyncio.Event()

    async def load(self) -> str:
        value = self.value
        self.seen.set()
        await self.may_return.wait()
        return value


async def race(order: CacheOrder, open_cache: OpenCache) -> None:
    """Make `count` tries, `callers` of them at a time; say in how many an old value was served.

    Only reads count that began after the invalidation had returned. They are made through two caches with nothing in
    common but Redis, and either of them invalidates.
    """
    numbers = iter(range(order.count))
    stale: list[bool] = []

    async def work(caches: tuple[Cache, Cache]) -> None:
        stale.extend([await _is_stale(number, *caches) for number in numbers])

    async with open_cache(order) as one, open_cache(order) as other:
        await asyncio.gather(*(work((one, other)) for _ in range(order.callers)))
    say(tries=len(stale), stale=sum(stale))


async def _is_stale(number: int, reader: Cache, other: Cache) -> bool:
    owner, row = str(uuid4()), _Row()
    caches, writer = (reader, other), (reader, other)[number % 2]

    def read_all() -> list[asyncio.Task[Any]]:
        return [asyncio.create_task(cache.read(owner, _NAME, row.load)) for cache in caches]

    loading = asyncio.create_task(reader.read(owner, _NAME, row.load))
    await row.seen.wait()
    row.value = _NEW
    moment, overtaken = _MOMENTS[number // 2 % len(_MOMENTS)], []
    if moment == "before":
        row.may_return.set()
        await loading
    if moment == "during":
        row.may_return.set()
    await writer.drop(owner, _NAME)
    if moment == "read while it goes on":
        overtaken = read_all()
        await asyncio.sleep(0)  # they have begun
    row.may_return.set()
    await loading
    values = await asyncio.gather(*overtaken)
    return _OLD in [*values, *await asyncio.gather(*read_all())]
