"""Role `outage`: readers go on while their Redis is taken away."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any
from uuid import uuid4

from benchmarks.peers.caches.protocol import VALUES, CacheOrder, OpenCache
from benchmarks.peers.protocol import say

# Between two reads of a caller: the machine must be idle enough for a wait to be the cache's own. Not the same for all,
# or they would come to read in step and wait for each other.
_PAUSES_S = (0.005, 0.015)


async def outage(order: CacheOrder, open_cache: OpenCache) -> None:
    """Read with all callers for `seconds`; say when each read began (monotonic, ns) and how long it took (ns).

    A read that fails is timed like any other, and counted: the caller has no value, though the load would have given it
    one. Each caller reads a value of its own, and loads take no time, so that a wait is never a load's.
    """
    value, owner = VALUES[order.value], str(uuid4())
    reads: list[tuple[int, int]] = []
    failed = 0

    async def load() -> Any:
        return value

    async with open_cache(order) as cache:
        names = [str(number) for number in range(order.callers)]
        await asyncio.gather(*(cache.read(owner, name, load) for name in names))
        say(ready=True)
        end_ns = time.monotonic_ns() + round(order.seconds * 1e9)

        async def call(name: str) -> None:
            nonlocal failed
            while (began_ns := time.monotonic_ns()) < end_ns:
                try:
                    await cache.read(owner, name, load)
                except Exception:  # noqa: BLE001 - whatever it is, the caller gets it instead of a value
                    failed += 1
                reads.append((began_ns, time.monotonic_ns() - began_ns))
                await asyncio.sleep(random.uniform(*_PAUSES_S))  # noqa: S311 - a spread, no secret

        await asyncio.gather(*(call(name) for name in names))
        say(reads=reads, failed=failed)
