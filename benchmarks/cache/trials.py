"""What a case is made of: a process of the subject with a cache on an empty Redis."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, replace

from redis.asyncio import Redis

from benchmarks.bench import Contender
from benchmarks.peers.caches.protocol import CacheOrder
from benchmarks.processes import Answering, answering

#: A process starts, and makes its first reads, within this time.
START_S = 60.0
_REDIS_S = 60.0


def running(contender: Contender, order: CacheOrder) -> AbstractAsyncContextManager[Answering]:
    """Run a process of the subject while the context lasts."""
    subject = contender.subject
    told = json.dumps(asdict(replace(order, settings=contender.settings)))
    return answering(f"{subject.name} ({order.role})", subject.module, told, python=subject.python)


@asynccontextmanager
async def empty_redis(url: str) -> AsyncIterator[Redis]:
    """A Redis of the benchmark's own without a key, before and after."""
    async with Redis.from_url(url, socket_timeout=_REDIS_S) as redis:
        await redis.flushall()
        try:
            yield redis
        finally:
            await redis.flushall()
