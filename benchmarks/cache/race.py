"""A value is loaded while it is invalidated: how often the old one is served afterwards."""

from __future__ import annotations

from functools import partial

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.cache.subjects import plain
from benchmarks.cache.trials import START_S, empty_redis, running
from benchmarks.peers.caches.protocol import CacheOrder
from benchmarks.rows import Row

_TRIES = 10_000
_AT_ONCE = 10
_SLOWEST_PER_S = 20.0


async def race(bench: Bench) -> list[Row]:
    """The load ends before the invalidation, meanwhile or after it, a quarter each; or after it while others read."""
    contenders = [Contender(subject=subject, settings=plain(subject)) for subject in bench.subjects]
    bench.report.begin("race", trials=len(contenders))
    return bench.rows("race", contenders, await bench.rounds(contenders, partial(_measure, bench), runs=1))


async def _measure(bench: Bench, contender: Contender) -> Figures:
    tries = bench.scaled(_TRIES)
    order = CacheOrder(role="race", url=bench.servers.redis, count=tries, callers=_AT_ONCE)
    async with empty_redis(bench.servers.redis), running(contender, order) as process:
        answer = await process.answer(deadline_s=START_S + tries / _SLOWEST_PER_S)
    return {"tries": answer["tries"], "stale": answer["stale"]}
