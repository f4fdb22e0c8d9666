"""Redis hangs or dies under sixteen readers: how long they wait then, and from then on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.cache.mortal_redis import MortalRedis, mortal_redis
from benchmarks.cache.subjects import BARE_REDIS, plain
from benchmarks.cache.trials import START_S, running
from benchmarks.peers.caches.protocol import CacheOrder
from benchmarks.processes import BenchmarkError
from benchmarks.rows import Row, percentile

_CALLERS = 16
_CALM_S = 0.3
_OUTAGE_S = 5.0
_OUTAGE_LEAST_S = 0.7
# A read that begins so long after the outage did is not in flight any more.
_LATER_NS = 250_000_000
_NS_PER_MS = 1e6
_OUTAGES: dict[str, Callable[[MortalRedis], None]] = {"hung": MortalRedis.hang, "dead": MortalRedis.kill}


async def outage(bench: Bench) -> list[Row]:
    """Everyone has the same deadlines: 75 ms for an operation, 250 ms to connect, no retries."""
    contenders = [
        Contender(subject=subject, settings=plain(subject)) for subject in bench.subjects if subject.name != BARE_REDIS
    ]
    bench.report.begin("outage", trials=len(_OUTAGES) * bench.runs * len(contenders))
    rows = []
    for kind, strike in _OUTAGES.items():
        measured = await bench.rounds(contenders, partial(_measure, bench, strike))
        rows += bench.rows(f"outage, {kind} Redis", contenders, measured)
    return rows


async def _measure(bench: Bench, strike: Callable[[MortalRedis], None], contender: Contender) -> Figures:
    outage_s = max(_OUTAGE_LEAST_S, _OUTAGE_S * min(1.0, bench.scale))
    async with mortal_redis() as redis:
        order = CacheOrder(role="outage", url=redis.url, count=0, callers=_CALLERS, seconds=_CALM_S + outage_s)
        async with running(contender, order) as process:
            await process.answer(deadline_s=START_S)
            await asyncio.sleep(_CALM_S)
            strike(redis)
            struck_ns = time.monotonic_ns()
            answer = await process.answer(deadline_s=START_S)
    return {**waits(answer["reads"], struck_ns=struck_ns), "failed": answer["failed"]}


def waits(reads: Sequence[tuple[int, int]], *, struck_ns: int) -> Figures:
    """What readers felt of an outage, in ms.

    Args:
        reads: when each began (monotonic, ns) and how long it took (ns).
        struck_ns: when the outage began, by the same clock.

    Returns:
        `longest` of all that had not ended by then, `later_p50` and `later_p99` of those that began 250 ms after.

    Raises:
        BenchmarkError: no read began so late.
    """
    longest = max((took for began, took in reads if began + took > struck_ns), default=0)
    later = [took / _NS_PER_MS for began, took in reads if began > struck_ns + _LATER_NS]
    if not later:
        raise BenchmarkError("No read began during the outage; use a larger --scale.")
    return {
        "longest": longest / _NS_PER_MS,
        "later_p50": percentile(later, 50),
        "later_p99": percentile(later, 99),
    }
