"""Role `stampede`: many callers miss the same value at the same moment, here and in another process."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

from benchmarks.peers.caches.protocol import VALUES, CacheOrder, OpenCache
from benchmarks.peers.protocol import say

_LOAD_S = 0.1  # a slow query
_OWNER = "0199f3a2-7c1e-7d3a-9b60-000000000001"  # the same in both processes


async def stampede(order: CacheOrder, open_cache: OpenCache) -> None:
    """In each of `count` rounds, at the harness's signal (SIGUSR1), all callers read a value that is not cached.

    Says after each round how many of them loaded, and how long the last one waited.
    """
    go, loads = asyncio.Event(), 0
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, go.set)

    async def load() -> Any:
        nonlocal loads
        loads += 1
        await asyncio.sleep(_LOAD_S)
        return VALUES[order.value]

    async with open_cache(order) as cache:
        # Connections are open and code paths warm before it matters.
        await asyncio.gather(*(cache.read(_OWNER, "warm", load) for _ in range(order.callers)))
        for number in range(order.count):
            loads = 0
            say(ready=number)
            await go.wait()
            go.clear()
            began = time.perf_counter()
            await asyncio.gather(*(cache.read(_OWNER, f"round {number}", load) for _ in range(order.callers)))
            say(loads=loads, longest_ms=(time.perf_counter() - began) * 1000)
