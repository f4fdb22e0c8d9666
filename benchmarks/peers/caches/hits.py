"""Role `hits`: reads of values that are cached, one after another by each caller."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

from benchmarks.peers.caches.protocol import VALUES, Cache, CacheOrder, OpenCache
from benchmarks.peers.protocol import say

_WARM_UP = 50  # reads of each caller before the clock starts


async def hits(order: CacheOrder, open_cache: OpenCache) -> None:
    """Make `count` reads, shared out among the callers; say the seconds, and how often a value had to be loaded."""
    value, owner, loads = VALUES[order.value], str(uuid4()), 0

    async def load() -> Any:
        nonlocal loads
        loads += 1
        return value

    async def call(cache: Cache, name: str, count: int) -> None:
        for _ in range(count):
            await cache.read(owner, name, load)

    async def all_call(cache: Cache, count: int) -> None:
        await asyncio.gather(*(call(cache, name, count) for name in names))

    names = [str(number if order.own_keys else 0) for number in range(order.callers)]
    async with open_cache(order) as cache:
        for name in names:
            await cache.read(owner, name, load)
        if await cache.read(owner, names[0], load) != value:
            raise ValueError("the value came back changed")
        await all_call(cache, _WARM_UP)
        loads, each = 0, max(1, order.count // order.callers)
        began = time.perf_counter()
        await all_call(cache, each)
        say(seconds=time.perf_counter() - began, reads=each * order.callers, loads=loads)
