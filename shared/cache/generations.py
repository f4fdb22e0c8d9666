"""Generations: small random values in Redis that a cached value must still agree with.

To invalidate is to renew a generation. A loader that began before the renewal stores under the old one, so its value is
void before it is written, however reads and writes race. They are random and never counted from 0: a counter that Redis
evicted would begin again and bring old values back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis

from shared.cache.keys import CacheKey, CacheTTL

_BYTES = 8
_LIFETIME_S = 3 * CacheTTL.VERY_LONG  # outlives every value that was stored under it


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What Redis held for a key at one moment."""

    stored: bytes | None
    generations: tuple[bytes | None, ...]  # in the order of the key's; None where Redis has none


async def read(redis: Redis, *, key: CacheKey) -> Reading:
    """The stored bytes and the generations of a key, in one round trip."""
    values = await redis.mget([key.text, *key.generations])
    stored, *generations = cast("list[bytes | None]", values)  # the client is made to leave bytes undecoded
    return Reading(stored=stored, generations=tuple(generations))


async def complete(redis: Redis, *, key: CacheKey, generations: tuple[bytes | None, ...]) -> tuple[bytes, ...]:
    """The generations to store under; those that Redis lacks are made first.

    Call it before the value is loaded. Two processes that make the same one agree on whichever came first.
    """
    present = tuple(generation for generation in generations if generation is not None)
    if len(present) == len(generations):
        return present
    async with redis.pipeline(transaction=True) as pipeline:
        for name in key.generations:
            pipeline.set(name, secrets.token_bytes(_BYTES), nx=True, ex=_LIFETIME_S)
        pipeline.mget(key.generations)
        *_, made = await pipeline.execute()
    return tuple(made)


async def renew(redis: Redis, *, names: Sequence[str]) -> None:
    """Void everything that was stored, or is being loaded, under these generations; all of them or none."""
    async with redis.pipeline(transaction=True) as pipeline:
        for name in names:
            pipeline.set(name, secrets.token_bytes(_BYTES), ex=_LIFETIME_S)
        await pipeline.execute()
