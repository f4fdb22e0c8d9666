"""Reads of values that are cached: how many one process makes in a second."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.cache.trials import START_S, empty_redis, running
from benchmarks.peers.caches.protocol import CacheOrder
from benchmarks.processes import BenchmarkError
from benchmarks.rows import Row
from benchmarks.subjects import Subject

_READS = 10_000
_TRY_READS = 2_000
_SLOWEST_PER_S = 200.0
_METRIC = "hits_per_s"


@dataclass(frozen=True, kw_only=True)
class _Load:
    """Who reads what."""

    value: str
    callers: int
    own_keys: bool = False

    def __str__(self) -> str:
        keys = " on own keys" if self.own_keys else " on one key" if self.callers > 1 else ""
        return f"hits, {self.value}, {self.callers} caller{'s' if self.callers > 1 else ''}{keys}"


_LOADS = tuple(
    load
    for value in ("health", "page")
    for load in (
        _Load(value=value, callers=1),
        _Load(value=value, callers=16),
        _Load(value=value, callers=16, own_keys=True),
        _Load(value=value, callers=128),
    )
)


async def hits(bench: Bench) -> list[Row]:
    """One process each, at the settings that are its best for this load."""
    tries = 2 * sum(len(subject.work) for subject in bench.subjects if len(subject.work) > 1)
    rows = []
    for load in _LOADS:
        bench.report.begin(str(load), trials=tries + bench.runs * len(bench.subjects))
        contenders = [await _best(bench, subject, load) for subject in bench.subjects]
        measured = await bench.rounds(contenders, partial(_measure, bench, load, bench.scaled(_READS)))
        rows += bench.rows(str(load), contenders, measured)
    return rows


async def _best(bench: Bench, subject: Subject, load: _Load) -> Contender:
    if len(subject.work) == 1:
        return Contender(subject=subject, settings=subject.work[0])
    attempt = partial(_measure, bench, load, bench.scaled(_TRY_READS))
    return await bench.tune(subject, subject.work, attempt, metric=_METRIC)


async def _measure(bench: Bench, load: _Load, count: int, contender: Contender) -> Figures:
    order = CacheOrder(
        role="hits",
        url=bench.servers.redis,
        count=count,
        callers=load.callers,
        value=load.value,
        own_keys=load.own_keys,
    )
    async with empty_redis(bench.servers.redis), running(contender, order) as process:
        answer = await process.answer(deadline_s=START_S + count / _SLOWEST_PER_S)
    if answer["loads"]:
        raise BenchmarkError(f"{contender.subject.name} loaded {answer['loads']} values that were cached.")
    return {_METRIC: answer["reads"] / answer["seconds"]}
