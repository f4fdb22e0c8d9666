"""What one process changes in Redis on its own account: put a value, drop some, renew generations."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from redis.asyncio import Redis

from shared.cache import generations
from shared.cache.breaker import Breaker
from shared.cache.connection import CONNECT_S, OPERATION_S
from shared.cache.errors import CacheAwayError, CacheSweepError
from shared.cache.keys import CacheKey, redis_pattern
from shared.cache.sealing import seal_for

_SCAN_COUNT = 1000
_SWEEP_S = 60.0
_CHANGE_S = CONNECT_S + OPERATION_S  # patient, for what Redis missed voids everything it holds


class Shelf:
    """The values in Redis, from the side of those who change them."""

    def __init__(self, redis: Redis, *, breaker: Breaker, clock: Callable[[], float] = time.monotonic) -> None:
        """Wire it; nothing is sent yet."""
        self._redis = redis
        self._breaker = breaker
        self._clock = clock

    async def replace(self, key: CacheKey, payload: bytes, *, ttl: float) -> None:
        """Make this the value from now on; where it cannot be stored, what was there before is not served either."""

        async def store() -> None:
            now = await generations.complete(self._redis, names=key.generations)
            sealed = seal_for(key, payload, ttl=ttl, under=tuple(now.values()))
            if sealed is None:
                await self._redis.unlink(key.text)
            else:
                await self._redis.set(key.text, sealed.stored, px=sealed.life_ms)

        await self._change(store)

    async def drop(self, cached: Sequence[CacheKey]) -> None:
        """Free the room of values."""
        if cached:
            await self._change(lambda: self._redis.unlink(*(key.text for key in cached)))

    async def drop_matching(self, pattern: str) -> int:
        """Free the room of what matches and return how much it was; walks all of Redis, a little at a time.

        Raises:
            CacheKeyError: the pattern names no namespace. Name one.
            CacheAwayError: Redis is away and the walk has not ended. Begin again later.
            CacheSweepError: the walk has not ended within a minute. Begin again.
        """
        match, cursor, dropped = redis_pattern(pattern), 0, 0
        end = self._clock() + _SWEEP_S
        while True:
            cursor, found = await self._breaker.run(partial(self._redis.scan, cursor, match=match, count=_SCAN_COUNT))
            if found:
                dropped += await self._breaker.run(partial(self._redis.unlink, *found))
            if not cursor:
                return dropped
            if self._clock() >= end:
                raise CacheSweepError(dropped=dropped)

    async def renew(self, names: Sequence[str]) -> None:
        """Void what was stored under these generations; what cannot be said now is made good before the next read."""
        await self._change(partial(generations.renew, self._redis, names=names))

    async def _change(self, operation: Callable[[], Awaitable[object]]) -> None:
        try:
            await self._breaker.run(operation, seconds=_CHANGE_S)
        except CacheAwayError:
            self._breaker.owe()
