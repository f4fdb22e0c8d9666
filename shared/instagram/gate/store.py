"""Redis as the memory that all processes share, with a deadline on everything; while it is away nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.instagram.gate.evidence import WINDOW_S, Evidence, Tally, window_keys
from shared.instagram.gate.memory import Fading

T = TypeVar("T")
_CONNECT_S = 0.25
_OPERATION_S = 0.075
# What is waited for no longer frees its connection after this.
_SOCKET_S = 1.0
_TURNS = 10  # a loop that was late for its own timer may be late for the answer too: what has come is still read
_CONNECTIONS = 4
# uvloop calls writing to a connection that has just broken a RuntimeError.
_FAILURES = (RedisError, OSError, TimeoutError, RuntimeError)

# One command instead of two a key: the reads of a try that may go are one round trip and few bytes.
_READ = """
    local found = {}
    for _, key in ipairs(KEYS) do
        found[#found + 1] = redis.call('GET', key)
        found[#found + 1] = redis.call('PTTL', key)
    end
    return found
"""

log = structlog.get_logger()


class Store:
    """Every method answers None when Redis did not; after that none of them asks until `greet` has found it again."""

    def __init__(
        self, redis_url: str, *, operation_s: float = _OPERATION_S, wall: Callable[[], float] = time.time
    ) -> None:
        """Bind to a server; connects when first used.

        Args:
            redis_url: the server.
            operation_s: most seconds that one round trip is waited for.
            wall: seconds since 1970, for the buckets in which all processes count.
        """
        pool = BlockingConnectionPool.from_url(
            redis_url,
            max_connections=_CONNECTIONS,
            timeout=_CONNECT_S,
            socket_connect_timeout=_CONNECT_S,
            socket_timeout=_SOCKET_S,
            retry=Retry(NoBackoff(), 0),  # the library's default waits and tries again, far beyond these deadlines
            protocol=2,  # no handshake before the first command
            driver_info=None,
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._operation_s = operation_s
        self._wall = wall
        self.away = False

    async def greet(self) -> bool:
        """Whether Redis is there. Takes as long as connecting may; ask in the background."""
        was_away, self.away = self.away, False
        await self._run(self._redis.ping, seconds=_CONNECT_S + self._operation_s, quiet=was_away)
        if was_away and not self.away:
            log.info("gate.redis_back")
        return not self.away

    async def exchange(self, changed: Mapping[str, Fading], keys: Sequence[str]) -> dict[str, Fading] | None:
        """Tell what changed and read how the keys stand, in one round trip."""
        return await self._run(lambda: self._exchange(changed, keys))

    async def claim(self, key: str, *, seconds: float) -> bool | None:
        """Take a key that nobody has."""
        return await self._run(lambda: self._claim(key, seconds))

    async def tally(self, tally: Tally) -> Evidence | None:
        """Add what this process saw; answers what all saw in the last minute."""
        return await self._run(lambda: self._tally(tally))

    async def close(self) -> None:
        """Close the connections."""
        with suppress(*_FAILURES):  # a server that hangs says no farewell over TLS
            await self._redis.aclose()

    async def _claim(self, key: str, seconds: float) -> bool:
        return bool(await self._redis.set(key, 1, nx=True, px=_ms(seconds)))

    async def _exchange(self, changed: Mapping[str, Fading], keys: Sequence[str]) -> dict[str, Fading]:
        if not changed:  # nearly always; a pipeline of one costs half as much again
            return _read(keys, await self._redis.eval(_READ, len(keys), *keys))
        pipe = self._redis.pipeline(transaction=False)
        for key, fading in changed.items():
            if fading is None:
                pipe.delete(key)
            else:
                pipe.set(key, fading[0], px=_ms(fading[1]))
        pipe.eval(_READ, len(keys), *keys)
        return _read(keys, (await pipe.execute())[-1])

    async def _tally(self, tally: Tally) -> Evidence:
        keys = window_keys(self._wall())
        answered, failed, failing = keys[0::3], keys[1::3], keys[2::3]
        pipe = self._redis.pipeline(transaction=False)
        pipe.incrby(answered[0], tally.answered)
        pipe.incrby(failed[0], tally.failed)
        if tally.failing:
            pipe.pfadd(failing[0], *tally.failing)
        for key in (answered[0], failed[0], failing[0]):
            pipe.expire(key, int(2 * WINDOW_S))
        pipe.mget(answered)
        pipe.mget(failed)
        pipe.pfcount(*failing)
        *_, all_answered, all_failed, accounts = await pipe.execute()
        return Evidence(accounts=accounts, failed=_sum(all_failed), answered=_sum(all_answered))

    async def _run(
        self, operation: Callable[[], Awaitable[T]], *, seconds: float | None = None, quiet: bool = False
    ) -> T | None:
        if self.away:
            return None
        try:
            return await _within(self._operation_s if seconds is None else seconds, operation)
        except _FAILURES as error:
            self.away = True
            if not quiet:
                log.warning("gate.redis_away", error=str(error) or type(error).__name__)
            return None


async def _within(seconds: float, operation: Callable[[], Awaitable[T]]) -> T:
    running = asyncio.ensure_future(operation())
    try:
        await asyncio.wait({running}, timeout=seconds)
        for _ in range(_TURNS):
            if running.done():
                return running.result()
            await asyncio.sleep(0)
        raise TimeoutError(f"no answer within {seconds * 1000:g} ms")
    finally:
        if not running.done():
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def _read(keys: Sequence[str], found: Sequence[Any]) -> dict[str, Fading]:
    return {key: _fading(found[2 * place], found[2 * place + 1]) for place, key in enumerate(keys)}


def _fading(value: object, left_ms: int) -> Fading:
    # A lifetime below zero: it ended between the two reads, or was never set by this code.
    return (int(cast("bytes", value)), left_ms / 1000) if value is not None and left_ms > 0 else None


def _sum(counts: Sequence[Any]) -> int:
    return sum(int(count) for count in counts if count is not None)


def _ms(seconds: float) -> int:
    return max(round(seconds * 1000), 1)
