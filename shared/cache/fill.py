"""What a read does that found nothing fresh: wait for another's load, load, or serve what is stale."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog

from shared import metrics
from shared.cache.batch import ReadBatcher
from shared.cache.envelope import pack
from shared.cache.errors import CacheAwayError, CacheValueError
from shared.cache.keys import CacheKey
from shared.cache.lease import Claim, Leases
from shared.cache.look import CacheResult, Look
from shared.cache.sealing import Sealed, seal_for

Loader = Callable[[], Awaitable[Any]]

_BYPASS_LOADS_MAX = 16

_has_place: ContextVar[bool] = ContextVar("cache_load_has_place", default=False)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be had where: one call's key, loader and TTL in seconds."""

    key: CacheKey
    loader: Loader
    ttl: float


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What a read is answered with."""

    payload: bytes
    result: CacheResult


def holds_place() -> bool:
    """Whether who asks is a load that holds one of the places for loads without Redis."""
    return _has_place.get()


class Filler:
    """Loads, once for everybody, under the generations that were seen before."""

    def __init__(self, *, reads: ReadBatcher, leases: Leases) -> None:
        """Wire it; nothing is sent yet."""
        self._reads = reads
        self._leases = leases
        self._places = asyncio.Semaphore(_BYPASS_LOADS_MAX)

    async def fill(self, wish: Wish, look: Look) -> Filled:
        """The value: of another process that loads it now, else of the loader, else the stale one.

        Raises:
            Exception: whatever the loader raised, and there is no stale value whose generations hold.
        """
        if look.generations is None:
            return Filled(payload=await self._load_in_a_place(wish), result=look.result)
        try:
            claim = await self._leases.wait(wish.key, under=look.generations)
        except CacheAwayError as error:
            away = CacheResult.ERROR if error.tried else CacheResult.BYPASS
            return Filled(payload=await self._load_in_a_place(wish), result=away)
        if claim.look.payload is not None and claim.look.fresh:
            await self._give_back(claim)
            return Filled(payload=claim.look.payload, result=claim.look.result)
        try:
            return Filled(payload=await self._load_and_store(wish, claim), result=look.result)
        except CacheValueError:
            raise
        except Exception as error:
            # Looked at anew: an invalidation may have come while the loader was failing.
            left = await self._reads.look(wish.key)
            if left.payload is None:
                raise
            _log.warning("cache.stale_served", namespace=wish.key.namespace.value, error=type(error).__name__)
            return Filled(payload=left.payload, result=left.result if left.fresh else CacheResult.STALE)

    async def refresh(self, wish: Wish, look: Look) -> None:
        """Load a value anew before its TTL ends, unless another process does. A failure is logged, and harms nobody."""
        try:
            claim = await self._leases.claim(wish.key, under=look.generations or ())
            if not claim.held:
                return
            if claim.look.fresh_until != look.fresh_until:  # it is new already, or void
                await self._give_back(claim)
            else:
                await self._load_and_store(wish, claim)
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and the old value is still fresh
            _log.warning("cache.refresh_failed", namespace=wish.key.namespace.value, error=type(error).__name__)

    async def _load_and_store(self, wish: Wish, claim: Claim) -> bytes:
        sealed: Sealed | None = None
        try:
            payload, load_s = await _load(wish)
            sealed = seal_for(wish.key, payload, ttl=wish.ttl, under=claim.under, load_s=load_s)
        finally:
            await self._give_back(claim, sealed)
        return payload

    async def _give_back(self, claim: Claim, sealed: Sealed | None = None) -> None:
        try:
            if claim.held or sealed is not None:
                await self._leases.settle(claim, sealed)
        except CacheAwayError:
            if sealed is not None:
                metrics.cache_unstored_total.labels(claim.key.namespace.value, "failed").inc()

    async def _load_in_a_place(self, wish: Wish) -> bytes:
        # Without the cache every read reaches the database. A loader that itself reads through the cache keeps its one
        # place: waiting for a second while holding the first could stop all of them for good.
        if _has_place.get():
            return (await _load(wish))[0]
        async with self._places:
            _has_place.set(True)  # for this load's own task and what it starts
            return (await _load(wish))[0]


async def _load(wish: Wish) -> tuple[bytes, float]:
    began = time.perf_counter()
    try:
        payload = pack(await wish.loader())
    finally:
        load_s = time.perf_counter() - began
        metrics.cache_load_seconds.labels(wish.key.namespace.value).observe(load_s)
    return payload, load_s
