"""Confirmed publishing of persistent no-op jobs to a durable queue, as much at a time as each subject can."""

from __future__ import annotations

from functools import partial

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.rows import Row
from benchmarks.trials import fresh_trial

_JOBS = 20_000
_TRY_JOBS = 4_000


async def enqueue(bench: Bench) -> list[Row]:
    """One producer process, from its first publish to its last confirm."""
    tries = 2 * sum(len(subject.enqueue) for subject in bench.subjects)
    bench.report.begin("enqueue", trials=tries + bench.runs * len(bench.subjects))
    attempt = partial(_measure, bench, bench.scaled(_TRY_JOBS))
    contenders = [await bench.tune(subject, subject.enqueue, attempt) for subject in bench.subjects]
    measured = await bench.rounds(contenders, partial(_measure, bench, bench.scaled(_JOBS)))
    return bench.rows("enqueue", contenders, measured)


async def _measure(bench: Bench, count: int, contender: Contender) -> Figures:
    async with fresh_trial(bench.servers, contender.subject) as trial:
        return {"jobs_per_s": count / await trial.enqueue(count, contender.settings)}
