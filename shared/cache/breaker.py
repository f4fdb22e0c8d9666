"""The one gate to Redis: it closes the way when Redis hangs, and remembers what Redis could not be told.

While the gate is open nobody waits for Redis; a probe in the background finds out whether it is back. An invalidation
that failed also opens it, and the way back then leads through a renewed root generation, so that no value from before
the failed invalidation is ever served. What is owed is made good even if nobody asks this process for anything more:
others still serve the old values.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import structlog
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared import metrics
from shared.cache.connection import OPERATION_S
from shared.cache.errors import CacheAwayError
from shared.cache.patience import Patience

T = TypeVar("T")
# uvloop calls writing to a connection that has just broken a RuntimeError.
_UNREACHABLE = (RedisTimeoutError, RedisConnectionError, OSError, RuntimeError)
_FAILURES = (RedisError, *_UNREACHABLE)
_PING_S = 0.02
_RETRY_AFTER_S = 1.0
# Operations at a time: Redis does them one after another anyway, and the rest does not wait on its deadline.
_PLACES = 8

_log = structlog.get_logger(__name__)


class Breaker:
    """Runs operations on Redis, or refuses at once while Redis is away."""

    def __init__(
        self,
        *,
        ping: Callable[[], Awaitable[object]],
        void_all: Callable[[], Awaitable[object]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start closed, that is, trusting Redis.

        Args:
            ping: asks Redis for a sign of life.
            void_all: makes every value that Redis holds void.
            clock: monotonic seconds.
        """
        self._ping = ping
        self._void_all = void_all
        self._clock = clock
        self._open = False
        self._probe_at = 0.0
        self._probe: asyncio.Task[None] | None = None
        self._making_good: asyncio.Task[None] | None = None
        self._examining = asyncio.Lock()
        self._places = asyncio.Semaphore(_PLACES)
        self._patience = Patience()
        self._settled = 0
        self.missed = 0  # invalidations that Redis was not told of, ever

    async def run(self, operation: Callable[[], Awaitable[T]], *, seconds: float = OPERATION_S) -> T:
        """The result of `operation`, which is waited for so long; it may yet take effect when that was not enough.

        Raises:
            CacheAwayError: it failed, or was not tried because the gate is open. Go on without the cache.
        """
        async with self._places:
            return await self.guard(partial(self._patience.wait, operation, seconds=seconds))

    async def guard(self, operation: Callable[[], Awaitable[T]]) -> T:
        """`run` for an operation that has connection and deadline of its own.

        Raises:
            CacheAwayError: as `run`.
        """
        if not self.admits():
            raise CacheAwayError(tried=False)
        try:
            return await operation()
        except _FAILURES as error:
            if isinstance(error, _UNREACHABLE):
                await self._examine()
            raise CacheAwayError(tried=True) from error

    def admits(self) -> bool:
        """Whether Redis is asked at all now; while it is not, asking for that is what starts the probes."""
        if self._open:
            self._probe_when_due()
        return not self._open

    def owe(self) -> None:
        """Remember that Redis missed an invalidation: nothing it holds is served until all of it is void."""
        self.missed += 1
        self._trip("an invalidation could not be sent")
        if self._making_good is None or self._making_good.done():
            self._making_good = asyncio.create_task(self._make_good())

    async def close(self) -> None:
        """End what runs in the background; what is owed is tried once more."""
        for task in (self._making_good, self._probe):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        if self._owes():
            await self._try_again()
        if self._owes():
            _log.warning("cache.invalidation_lost")
        await self._patience.close()

    def _trip(self, reason: str) -> None:
        if not self._open:
            self._open = True
            self._probe_at = self._clock() + _RETRY_AFTER_S
            metrics.cache_breaker_open.set(1)
            _log.warning("cache.bypassed", reason=reason)

    async def _examine(self) -> None:
        # One failure may be one slow command; only a Redis that does not even answer a PING is left alone. The lock
        # lets a hundred callers that failed together ask once.
        async with self._examining:
            if not self._open and not await self._alive():
                self._trip("Redis does not answer")

    async def _alive(self) -> bool:
        try:
            await self._patience.wait(self._ping, seconds=_PING_S)
        except _FAILURES:
            return False
        return True

    def _owes(self) -> bool:
        return self.missed > self._settled

    async def _make_good(self) -> None:
        while self._owes():
            await asyncio.sleep(max(0.0, self._probe_at - self._clock()))
            self._probe_when_due()
            if self._probe is not None:
                await asyncio.wait({self._probe})

    def _probe_when_due(self) -> None:
        if self._clock() >= self._probe_at and (self._probe is None or self._probe.done()):
            self._probe_at = self._clock() + _RETRY_AFTER_S
            self._probe = asyncio.create_task(self._try_again())

    async def _try_again(self) -> None:
        missed = self.missed
        try:
            await (self._void_all() if self._owes() else self._ping())
        except _FAILURES:
            return
        self._settled = missed
        if self.missed > missed:  # another one was missed meanwhile
            self._probe_at = self._clock()
            return
        self._open = False
        metrics.cache_breaker_open.set(0)
        _log.info("cache.back")
