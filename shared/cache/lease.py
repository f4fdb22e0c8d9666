"""One load across processes: who loads holds a lock in Redis, and who comes second waits for the value.

A lock ends with its lease, so a process that dies while it loads holds the others up for no longer than that. Nobody
ever waits longer than one lease for a lock, whoever holds it; then everybody loads for himself.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import cast

from redis.asyncio import Redis

from shared.cache.breaker import Breaker
from shared.cache.errors import CacheAwayError
from shared.cache.keys import CacheKey, lock_name
from shared.cache.look import CacheResult, Look, judge
from shared.cache.sealing import Sealed

LEASE_S = 2.0
_PAUSE_FIRST_S = 0.005
_PAUSE_MOST_S = 0.05
# The lock goes first: a Redis that is out of room refuses the value, and its lock must not hold anybody up.
_SETTLE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
"""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What came of asking for the right to load."""

    key: CacheKey
    look: Look  # what was there at the same moment; a load begins under its generations
    under: tuple[bytes, ...]  # those generations
    lock: str
    token: bytes
    held: bool  # whether the lock is ours


class Leases:
    """The locks of one process."""

    def __init__(self, redis: Redis, *, breaker: Breaker) -> None:
        """Wire it; nothing is sent yet."""
        self._redis = redis
        self._breaker = breaker
        self._settle = redis.register_script(_SETTLE)

    async def claim(self, key: CacheKey, *, under: tuple[bytes, ...]) -> Claim:
        """Ask once for the lock of a key, and look at the key again; one round trip.

        Raises:
            CacheAwayError: Redis did not answer. Go on without the lock.
        """
        lock, token = lock_name(key, under=under), secrets.token_bytes(8)
        try:
            held, values = await self._breaker.run(partial(self._ask, key, lock, token))
        except CacheAwayError as error:
            if error.tried:  # the lock may be ours without our knowing, and would hold others up for a lease
                await self._release(lock, token)
            raise
        stored, *seen = cast("list[bytes | None]", values)
        now = tuple([generation for generation in seen if generation is not None])
        if len(now) < len(seen):  # Redis lost one: what is loaded under the old ones is void, and its reader has it
            look = Look(result=CacheResult.MISS, generations=under)
            return Claim(key=key, look=look, under=under, lock=lock, token=token, held=bool(held))
        look = judge(stored, generations=now, now=time.time())
        return Claim(key=key, look=look, under=now, lock=lock, token=token, held=bool(held))

    async def wait(self, key: CacheKey, *, under: tuple[bytes, ...]) -> Claim:
        """Claim until the lock is ours, or the value there, or one lease over.

        Raises:
            CacheAwayError: Redis did not answer. Go on without the lock.
        """
        end = time.monotonic() + LEASE_S
        for pause_s in _pauses():
            claim = await self.claim(key, under=under)
            left_s = end - time.monotonic()
            if left_s <= 0:
                break
            if claim.under != under:  # an invalidation came between: its load has another lock
                under = await self._move(claim)
            elif claim.held or claim.look.fresh:
                break
            else:
                await asyncio.sleep(min(pause_s, left_s))
        return claim

    async def settle(self, claim: Claim, sealed: Sealed | None) -> None:
        """Store what was loaded, if anything, and give the lock back, if it still is ours.

        Raises:
            CacheAwayError: Redis did not answer or has no room. The value is not stored; the lock ends with its lease.
        """
        names = [claim.lock, claim.key.text]
        stored, life_ms = (b"", 0) if sealed is None else (sealed.stored, sealed.life_ms)
        await self._breaker.run(partial(self._settle, keys=names, args=[claim.token, stored, life_ms]))

    async def _release(self, lock: str, token: bytes) -> None:
        with suppress(CacheAwayError):
            await self._breaker.run(partial(self._settle, keys=[lock, lock], args=[token, b"", 0]))

    async def _move(self, claim: Claim) -> tuple[bytes, ...]:
        if claim.held:
            await self.settle(claim, None)
        return claim.under

    async def _ask(self, key: CacheKey, lock: str, token: bytes) -> tuple[object, object]:
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(lock, token, nx=True, px=round(LEASE_S * 1000))
            pipeline.mget([key.text, *key.generations])
            held, values = await pipeline.execute()
        return held, values


def _pauses() -> Iterator[float]:
    # Jittered, so that processes that wait together do not ask together.
    pause_s = _PAUSE_FIRST_S
    while True:
        yield pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
        pause_s = min(pause_s * 1.5, _PAUSE_MOST_S)
