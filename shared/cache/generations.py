"""Generations: small random values in Redis that a cached value must still agree with.

To invalidate is to renew a generation. A loader that began before the renewal stores under the old one, so its value is
void before it is written, however reads and writes race. They are random and never counted from 0: a counter that Redis
evicted would begin again and bring old values back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from redis.asyncio import Redis

from shared.cache.keys import CacheTTL

_BYTES = 8
_LIFETIME_S = 3 * CacheTTL.VERY_LONG  # outlives every value that was stored under it


async def complete(redis: Redis, *, names: Sequence[str]) -> dict[str, bytes]:
    """These generations by name; those that Redis lacks are made first.

    Call it before the value is loaded. Two processes that make the same one agree on whichever came first.
    """
    async with redis.pipeline(transaction=True) as pipeline:
        for name in names:
            pipeline.set(name, secrets.token_bytes(_BYTES), nx=True, ex=_LIFETIME_S)
        pipeline.mget(names)
        *_, found = await pipeline.execute()
    return dict(zip(names, found, strict=True))


async def renew(redis: Redis, *, names: Sequence[str]) -> None:
    """Void everything that was stored, or is being loaded, under these generations; all of them or none."""
    async with redis.pipeline(transaction=True) as pipeline:
        for name in names:
            pipeline.set(name, secrets.token_bytes(_BYTES), ex=_LIFETIME_S)
        await pipeline.execute()
