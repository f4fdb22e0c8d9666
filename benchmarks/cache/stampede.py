"""A hundred callers in two processes miss the same value at the same moment: how many of them load it."""

from __future__ import annotations

import os
import signal
import statistics
from collections.abc import Sequence
from functools import partial

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.cache.subjects import BARE_REDIS, guarded
from benchmarks.cache.trials import START_S, empty_redis, running
from benchmarks.peers.caches.protocol import CacheOrder
from benchmarks.processes import Answering
from benchmarks.rows import Row

_ROUNDS = 20
_ROUNDS_LEAST = 3
_CALLERS = 50  # in each process


async def stampede(bench: Bench) -> list[Row]:
    """Loads of 100 ms, in up to 20 rounds: the most and the mean loads of a round, and the longest wait of all."""
    contenders = [
        Contender(subject=subject, settings=guarded(subject))
        for subject in bench.subjects
        if subject.name != BARE_REDIS
    ]
    bench.report.begin("stampede", trials=bench.runs * len(contenders))
    return bench.rows("stampede", contenders, await bench.rounds(contenders, partial(_measure, bench)))


async def _measure(bench: Bench, contender: Contender) -> Figures:
    rounds = max(_ROUNDS_LEAST, round(_ROUNDS * min(1.0, bench.scale)))
    order = CacheOrder(role="stampede", url=bench.servers.redis, count=rounds, callers=_CALLERS)
    loads, waits_ms = [], []
    async with (
        empty_redis(bench.servers.redis),
        running(contender, order) as one,
        running(contender, order) as other,
    ):
        for _ in range(rounds):
            answers = await _round((one, other))
            loads.append(sum(answer["loads"] for answer in answers))
            waits_ms.append(max(answer["longest_ms"] for answer in answers))
    return {"loads_most": float(max(loads)), "loads_mean": statistics.mean(loads), "longest": max(waits_ms)}


async def _round(processes: Sequence[Answering]) -> list[dict[str, float]]:
    for process in processes:
        await process.answer(deadline_s=START_S)
    for process in processes:
        os.kill(process.pid, signal.SIGUSR1)
    return [await process.answer(deadline_s=START_S) for process in processes]
