"""What one process does with Redis: look, put, drop, renew; each through the breaker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from secrets import SystemRandom

import msgspec
import structlog
from redis.asyncio import Redis

from shared.cache import generations
from shared.cache.breaker import Breaker
from shared.cache.envelope import NONE_PAYLOAD, PAYLOAD_BYTES_MAX, seal, unseal
from shared.cache.errors import CacheAwayError
from shared.cache.keys import ROOT_GENERATION, CacheKey, CacheNamespace, redis_pattern

_JITTER = 0.1  # a value lives 90 to 100 % of its TTL, so that values stored together do not end together
_NEGATIVE_S_MAX = 60.0
_SCAN_COUNT = 1000

_log = structlog.get_logger(__name__)
_random = SystemRandom()


class CacheResult(StrEnum):
    """What became of a read, and its label in metrics."""

    HIT = "hit"  # served from Redis
    NEGATIVE = "negative"  # served from Redis: the cached value is None
    MISS = "miss"  # loaded
    BYPASS = "bypass"  # loaded without asking Redis, which is away
    ERROR = "error"  # Redis failed or held damaged bytes, so loaded; also a value that could not be stored


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen of a key."""

    result: CacheResult
    payload: bytes | None = None  # None when there is nothing to serve
    generations: tuple[bytes | None, ...] | None = None  # None when Redis did not say


class Shelf:
    """The values in Redis."""

    def __init__(
        self, redis: Redis, *, observe: Callable[[CacheNamespace, CacheResult], None], clock: Callable[[], float]
    ) -> None:
        """Wire it; nothing is sent yet."""
        self._redis = redis
        self._observe = observe
        void_all = partial(generations.renew, redis, names=[ROOT_GENERATION])
        self._breaker = Breaker(ping=redis.ping, void_all=void_all, clock=clock)

    async def look(self, key: CacheKey) -> Look:
        """What Redis holds for a key now; one round trip, and none while Redis is away."""
        try:
            reading = await self._breaker.run(partial(generations.read, self._redis, key=key))
        except CacheAwayError as error:
            return Look(result=CacheResult.ERROR if error.tried else CacheResult.BYPASS)
        try:
            payload = unseal(reading.stored, generations=reading.generations)
        except msgspec.DecodeError:
            return Look(result=CacheResult.ERROR, generations=reading.generations)
        return Look(result=_result(payload), payload=payload, generations=reading.generations)

    async def prepare(self, key: CacheKey, *, look: Look) -> tuple[Look, tuple[bytes, ...] | None]:
        """The generations to load under, or None when Redis does not say; makes those that it lacks.

        Call it before the load is shared: two callers who saw no generation did not see the same one.
        """
        if look.generations is None:
            return look, None
        complete = partial(generations.complete, self._redis, key=key, generations=look.generations)
        try:
            return look, await self._breaker.run(complete)
        except CacheAwayError:
            return replace(look, result=CacheResult.ERROR), None

    async def put(self, key: CacheKey, payload: bytes, *, ttl: int, loaded_under: tuple[bytes, ...]) -> None:
        """Store what was loaded, if Redis takes it."""
        if self._too_large(key, payload):
            return
        try:
            await self._breaker.run(lambda: self._store(key, payload, ttl, loaded_under))
        except CacheAwayError:
            self._observe(key.namespace, CacheResult.ERROR)

    async def replace(self, key: CacheKey, payload: bytes, *, ttl: int) -> None:
        """Make this the value from now on; where it cannot be stored, what was there before is not served either."""
        if self._too_large(key, payload):
            await self.drop([key])
            return

        async def store() -> None:
            unseen = (None,) * len(key.generations)
            now = await generations.complete(self._redis, key=key, generations=unseen)
            await self._store(key, payload, ttl, now)

        await self._change(store)

    async def drop(self, cached: Sequence[CacheKey]) -> None:
        """Free the room of values."""
        if cached:
            await self._change(lambda: self._redis.unlink(*(key.text for key in cached)))

    async def drop_matching(self, pattern: str) -> int:
        """Free the room of what matches and return how much it was; walks all of Redis.

        Raises:
            CacheKeyError: the pattern names no namespace. Name one.
            CacheAwayError: Redis is away and the walk has not ended. Begin again later.
        """
        match, cursor, dropped = redis_pattern(pattern), 0, 0
        while True:
            cursor, found = await self._breaker.run(partial(self._redis.scan, cursor, match=match, count=_SCAN_COUNT))
            if found:
                dropped += await self._breaker.run(partial(self._redis.unlink, *found))
            if not cursor:
                return dropped

    async def renew(self, names: Sequence[str]) -> None:
        """Void what was stored under these generations; what cannot be said now is made good before the next read."""
        await self._change(partial(generations.renew, self._redis, names=names))

    async def close(self) -> None:
        """End what runs in the background."""
        await self._breaker.close()

    async def _change(self, operation: Callable[[], Awaitable[object]]) -> None:
        try:
            await self._breaker.run(operation)
        except CacheAwayError:
            self._breaker.owe()

    async def _store(self, key: CacheKey, payload: bytes, ttl: int, loaded_under: tuple[bytes, ...]) -> None:
        life_s = min(_NEGATIVE_S_MAX, ttl / 10) if payload == NONE_PAYLOAD else float(ttl)
        life_ms = max(1, round(life_s * 1000 * (1 - _JITTER * _random.random())))
        await self._redis.set(key.text, seal(payload, generations=loaded_under), px=life_ms)

    def _too_large(self, key: CacheKey, payload: bytes) -> bool:
        if len(payload) <= PAYLOAD_BYTES_MAX:
            return False
        self._observe(key.namespace, CacheResult.ERROR)
        size = {"bytes": len(payload), "limit": PAYLOAD_BYTES_MAX}
        _log.warning("cache.value_too_large", namespace=key.namespace.value, **size)
        return True


def _result(payload: bytes | None) -> CacheResult:
    if payload is None:
        return CacheResult.MISS
    return CacheResult.NEGATIVE if payload == NONE_PAYLOAD else CacheResult.HIT
