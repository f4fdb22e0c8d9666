"""Role `invalidate`: everything of one owner is made void, beside very many values of others."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

from benchmarks.peers.caches.protocol import VALUES, CacheOrder, OpenCache
from benchmarks.peers.protocol import say

_VALUES = 200  # of the owner
_AT_ONCE = 20


async def invalidate(order: CacheOrder, open_cache: OpenCache) -> None:
    """Cache an owner's values and make them void, `count` times; say how long it took, and what was still served."""
    loads = 0

    async def load() -> Any:
        nonlocal loads
        loads += 1
        return VALUES[order.value]

    async with open_cache(order) as cache:

        async def read_all(owner: str) -> None:
            for first in range(0, _VALUES, _AT_ONCE):
                names = range(first, min(first + _AT_ONCE, _VALUES))
                await asyncio.gather(*(cache.read(owner, str(name), load) for name in names))

        took_ms, served = [], 0
        for _ in range(order.count):
            owner = str(uuid4())
            await read_all(owner)
            began = time.perf_counter()
            await cache.drop_all(owner)
            took_ms.append((time.perf_counter() - began) * 1000)
            loads = 0
            await read_all(owner)
            served += _VALUES - loads
        say(took_ms=took_ms, served=served)
