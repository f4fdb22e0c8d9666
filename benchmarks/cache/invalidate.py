"""Everything of one owner is made void beside 300,000 values of others."""

from __future__ import annotations

import statistics
from functools import partial

from redis.asyncio import Redis

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.cache.subjects import plain
from benchmarks.cache.trials import START_S, empty_redis, running
from benchmarks.peers.caches.protocol import CacheOrder
from benchmarks.processes import BenchmarkError
from benchmarks.rows import Row

_OTHERS = 300_000
_CHUNK = 5_000
_VALUE = b"x" * 64
_REPETITIONS = 5


async def invalidate(bench: Bench) -> list[Row]:
    """200 values of the owner; afterwards none of them may be served."""
    contenders = [Contender(subject=subject, settings=plain(subject)) for subject in bench.subjects]
    others = bench.scaled(_OTHERS)
    case = f"invalidate, {others:,} other keys"
    bench.report.begin(case, trials=bench.runs * len(contenders))
    async with empty_redis(bench.servers.redis) as redis:
        await _fill(redis, others)
        return bench.rows(case, contenders, await bench.rounds(contenders, partial(_measure, bench)))


async def _fill(redis: Redis, count: int) -> None:
    for first in range(0, count, _CHUNK):
        numbers = range(first, min(first + _CHUNK, count))
        await redis.mset({f"bench:other:{number:07}": _VALUE for number in numbers})


async def _measure(bench: Bench, contender: Contender) -> Figures:
    order = CacheOrder(role="invalidate", url=bench.servers.redis, count=_REPETITIONS)
    async with running(contender, order) as process:
        answer = await process.answer(deadline_s=2 * START_S)
    if answer["served"]:
        raise BenchmarkError(f"{contender.subject.name} served {answer['served']} values that it had invalidated.")
    return {"invalidation": statistics.median(answer["took_ms"])}
