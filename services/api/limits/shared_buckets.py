"""Buckets that all processes share, in Redis; while it is away nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import structlog
from redis.exceptions import RedisError

from services.api.limits.policy import Bucket, Policy, Taken
from shared import metrics
from shared.cache import CONNECT_S, OPERATION_S, Patience, connect_redis

# uvloop calls writing to a connection that has just broken a RuntimeError.
_FAILURES = (RedisError, OSError, TimeoutError, RuntimeError)
_PROBE_EVERY_S = 1.0
_PROBE = Bucket(policy=Policy(name="probe", per_s=1_000_000, burst=1_000_000), name="probe")
_MICROSECONDS = 1_000_000

# GCRA over several buckets, all or none. A key holds the time at which its bucket will be full again, by the clock of
# Redis, and lives until then: a bucket that is full has none. The processes' clocks are not asked. A time further ahead
# than an empty bucket's is another server's clock, from before a failover, and counts as empty.
_TAKE = """
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local cost, granted = tonumber(ARGV[1]), tonumber(ARGV[2])
    local missing, free = {}, {}
    for i, key in ipairs(KEYS) do
        local unit, burst = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
        missing[i] = math.min(math.max(tonumber(redis.call('GET', key) or now) - now, 0), unit * burst)
        free[i] = math.floor(burst - missing[i] / unit + 0.000001)
        granted = math.min(granted, free[i])
    end
    local answer = {0}
    for i, key in ipairs(KEYS) do
        local unit, burst = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
        if granted < cost then
            answer[2 * i] = free[i]
            answer[2 * i + 1] = math.ceil(math.max(missing[i] - (burst - cost) * unit, 0))
        else
            answer[1] = granted
            answer[2 * i] = free[i] - granted
            answer[2 * i + 1] = 0
            local full = missing[i] + granted * unit
            redis.call('SET', key, string.format('%.0f', now + full), 'PX', math.ceil(full / 1000))
        end
    end
    return answer
"""

log = structlog.get_logger()


class SharedBuckets:
    """One round trip takes from all buckets of a request; None stands for a Redis that did not answer in time."""

    def __init__(
        self, redis_url: str, *, operation_s: float = OPERATION_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Bind to a server; connects when first used.

        Args:
            redis_url: the server.
            operation_s: most seconds that a request waits for it.
            clock: monotonic seconds.
        """
        self._redis = connect_redis(redis_url, operation_s=operation_s)
        self._operation_s = operation_s
        self._script = self._redis.register_script(_TAKE)
        self._patience = Patience()
        self._clock = clock
        self._away = False
        self._probe_at = 0.0
        self._probe: asyncio.Task[None] | None = None

    async def greet(self) -> None:
        """Find out whether Redis is there, and open a connection: the first request need not."""
        if await self._ask((_PROBE,), 1, 1, seconds=CONNECT_S + self._operation_s) is None:
            self._note_away()

    async def take(self, buckets: Sequence[Bucket], *, cost: int, wanted: int) -> Taken | None:
        """Take up to `wanted` units from each bucket, and nothing if one has less than `cost`; None: Redis is away."""
        if self._away:
            self._probe_when_due()
            return None
        taken = await self._ask(buckets, cost, wanted, seconds=self._operation_s)
        if taken is None:
            self._note_away()
        return taken

    async def close(self) -> None:
        """End the probe, and close the connections."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.wait({self._probe})
        await self._patience.close()
        with suppress(*_FAILURES):  # a server that hangs says no farewell over TLS
            await self._redis.aclose()

    async def _ask(self, buckets: Sequence[Bucket], cost: int, wanted: int, *, seconds: float) -> Taken | None:
        try:
            return await self._patience.wait(partial(self._take, buckets, cost, wanted), seconds=seconds)
        except _FAILURES as error:
            if not self._away:
                log.warning("limits.redis_away", error=str(error) or type(error).__name__)
            return None

    async def _take(self, buckets: Sequence[Bucket], cost: int, wanted: int) -> Taken:
        keys = [f"limit:{bucket.name}" for bucket in buckets]
        sizes = [value for one in buckets for value in (_MICROSECONDS / one.policy.per_s, one.policy.burst)]
        granted, *rest = await self._script(keys=keys, args=[cost, wanted, *sizes])
        return Taken(
            granted=granted, left=tuple(rest[0::2]), wait_s=tuple(wait_us / _MICROSECONDS for wait_us in rest[1::2])
        )

    def _note_away(self) -> None:
        if not self._away:
            self._away = True
            metrics.rate_limits_local.set(1)
            self._probe_at = self._clock()  # one slow answer is no outage: look again at once
            self._probe_when_due()

    def _probe_when_due(self) -> None:
        if self._clock() >= self._probe_at and (self._probe is None or self._probe.done()):
            self._probe_at = self._clock() + _PROBE_EVERY_S
            self._probe = asyncio.create_task(self._look())

    async def _look(self) -> None:
        # Asked as a request would ask: a server that only answers PING is of no use.
        if await self._ask((_PROBE,), 1, 1, seconds=CONNECT_S + self._operation_s) is not None:
            self._away = False
            metrics.rate_limits_local.set(0)
            log.info("limits.redis_back")
