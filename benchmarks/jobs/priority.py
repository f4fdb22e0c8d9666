"""How long critical jobs wait when nothing else is there, and when a backlog of very low ones is being worked off."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmarks.bench import Bench, Contender, Figures, lean
from benchmarks.jobs.drain import best_worker
from benchmarks.rows import Row, percentile, ratio
from benchmarks.trials import CRITICAL, fresh_trial

_JOBS = 200
_PER_S = 20.0
_BACKLOG = 100_000
# Of the time that the backlog lasts, the share in which the critical jobs come.
_SHARE = 0.6
_HOLD_MS = 300
# What the service whose jobs last that long has by default.
_SLOW_SLOTS = 64
_IDLE, _BUSY, _SLOW = "priority, idle", "priority, backlog", "priority, 300 ms jobs"


async def priority(bench: Bench) -> list[Row]:
    """All subjects at the settings at which they fetch least ahead; the others than the engine once each."""
    engine = bench.engine
    others = [lean(subject) for subject in bench.subjects if subject is not engine.subject]
    unknown = [subject for subject in bench.subjects if subject.name not in bench.workers]
    tries = 2 * sum(len(subject.work) for subject in unknown)
    bench.report.begin("priority", trials=tries + 3 * bench.runs + 2 * len(others))
    for subject in bench.subjects:
        await best_worker(bench, subject)
    rows = []
    for case, measure in ((_IDLE, _idle), (_BUSY, _busy)):
        measured = await bench.rounds([engine], partial(measure, bench))
        measured += await bench.rounds(others, partial(measure, bench), runs=1)
        rows += bench.rows(case, [engine, *others], measured)
    busy = Contender(subject=engine.subject, settings={"prefetch": _SLOW_SLOTS})
    rows += bench.rows(_SLOW, [busy], await bench.rounds([busy], partial(_slow, bench)))
    return rows + _to_idle(rows)


async def _idle(bench: Bench, contender: Contender) -> Figures:
    return await _measure(bench, contender, backlog=0, per_s=_PER_S)


async def _busy(bench: Bench, contender: Contender) -> Figures:
    backlog = bench.scaled(_BACKLOG)
    lasts_s = backlog / bench.workers[contender.subject.name].per_s
    per_s = max(_PER_S, bench.scaled(_JOBS) / (lasts_s * _SHARE))
    return await _measure(bench, contender, backlog=backlog, per_s=per_s)


async def _slow(bench: Bench, contender: Contender) -> Figures:
    jobs_s = bench.scaled(_JOBS) / _PER_S
    backlog = round(_SLOW_SLOTS * 1000 / _HOLD_MS * jobs_s / _SHARE)
    return await _measure(bench, contender, backlog=backlog, per_s=_PER_S, hold_ms=_HOLD_MS)


async def _measure(bench: Bench, contender: Contender, *, backlog: int, per_s: float, hold_ms: int = 0) -> Figures:
    count = bench.scaled(_JOBS)
    async with fresh_trial(bench.servers, contender.subject, priorities=True) as trial:
        if backlog:
            await trial.fill(backlog)
        order = replace(trial.order, role="consume", count=count, rate_per_s=per_s, priority=CRITICAL)
        waits = await trial.flow(replace(order, hold_ms=hold_ms, settings=contender.settings))
    figures = {"wait_p50": percentile(waits.ms, 50), "wait_p99": percentile(waits.ms, 99)}
    return figures | ({"backlog_left": float(backlog - (waits.begun - count))} if backlog else {})


def _to_idle(rows: list[Row]) -> list[Row]:
    """How many times as long as on an idle worker."""
    p99 = {(one.case, one.subject): one for one in rows if one.metric == "wait_p99"}
    return [
        ratio(case, "ratio_to_idle", p99[case, subject], p99[_IDLE, subject]) for case, subject in p99 if case != _IDLE
    ]
