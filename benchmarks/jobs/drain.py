"""No-op jobs that wait in a durable queue, done and acknowledged, the way each subject does it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.rows import Row
from benchmarks.subjects import BARE, INSTADISTRO, Subject
from benchmarks.trials import fresh_trial

_JOBS = 20_000
_TRY_JOBS = 5_000
# Measured at each of their settings, for the comparison at the same prefetch; the others only at their best.
_AT_EACH = (INSTADISTRO, BARE)


async def drain(bench: Bench) -> list[Row]:
    """One worker process each, from its first handler's start to its last."""
    tuned = [subject for subject in bench.subjects if subject.name not in _AT_EACH]
    contenders = [
        Contender(subject=subject, settings=settings)
        for subject in bench.subjects
        if subject not in tuned
        for settings in subject.work
    ]
    tries = 2 * sum(len(subject.work) for subject in tuned)
    bench.report.begin("drain", trials=tries + bench.runs * (len(contenders) + len(tuned)))
    contenders += [await _tune(bench, subject) for subject in tuned]
    turns = await bench.rounds(contenders, partial(_measure, bench, bench.scaled(_JOBS)))
    measured = list(zip(contenders, turns, strict=True))
    rows = []
    for contender, series in measured:
        if contender.subject not in tuned:
            rows += bench.rows(f"drain at prefetch {contender.settings['prefetch']}", [contender], [series])
    for subject in bench.subjects:
        best, series = max((one for one in measured if one[0].subject is subject), key=lambda one: _per_s(one[1]))
        bench.workers[subject.name] = replace(best, per_s=_per_s(series))
        rows += bench.rows("drain", [best], [series])
    return rows


async def drain_on_all_cores(bench: Bench) -> list[Row]:
    """As many worker processes as there are cores, for everyone."""
    tries = 2 * sum(len(subject.spread) for subject in bench.subjects)
    bench.report.begin("drain on all cores", trials=tries + bench.runs * len(bench.subjects))
    attempt = partial(_measure, bench, bench.scaled(_TRY_JOBS))
    contenders = [await bench.tune(subject, subject.spread, attempt) for subject in bench.subjects]
    measured = await bench.rounds(contenders, partial(_measure, bench, bench.scaled(_JOBS)))
    return bench.rows("drain on all cores", contenders, measured)


async def best_worker(bench: Bench, subject: Subject) -> Contender:
    """The subject's best worker of one process, and its rate; looked for if no case has found it yet."""
    if subject.name not in bench.workers:
        bench.workers[subject.name] = await _tune(bench, subject)
    return bench.workers[subject.name]


async def _tune(bench: Bench, subject: Subject) -> Contender:
    return await bench.tune(subject, subject.work, partial(_measure, bench, bench.scaled(_TRY_JOBS)))


async def _measure(bench: Bench, count: int, contender: Contender) -> Figures:
    async with fresh_trial(bench.servers, contender.subject) as trial:
        await trial.fill(count)
        return {"jobs_per_s": (count - 1) / await trial.drain(count, contender.settings)}


def _per_s(series: Sequence[Figures]) -> float:
    return statistics.median(figures["jobs_per_s"] for figures in series)
