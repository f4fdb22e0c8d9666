"""How long a job waits between its sending and its handler's start while the worker is half busy."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.jobs.drain import best_worker
from benchmarks.rows import Row, percentile
from benchmarks.trials import fresh_trial

_SECONDS = 6.0
_LOAD = 0.5
_WARM_UP = 0.1


async def wait(bench: Bench) -> list[Row]:
    """An open loop: jobs come at half the rate at which the subject drains them, however it fares."""
    unknown = [subject for subject in bench.subjects if subject.name not in bench.workers]
    tries = 2 * sum(len(subject.work) for subject in unknown)
    bench.report.begin("wait", trials=tries + bench.runs * len(bench.subjects))
    contenders = [await best_worker(bench, subject) for subject in bench.subjects]
    return bench.rows("wait", contenders, await bench.rounds(contenders, partial(_measure, bench)))


async def _measure(bench: Bench, contender: Contender) -> Figures:
    per_s = contender.per_s * _LOAD
    async with fresh_trial(bench.servers, contender.subject) as trial:
        count = bench.scaled(round(per_s * _SECONDS))
        waits = await trial.flow(
            replace(trial.order, role="consume", count=count, rate_per_s=per_s, settings=contender.settings)
        )
    warm = waits.ms[round(len(waits.ms) * _WARM_UP) :]
    return {"wait_p50": percentile(warm, 50), "wait_p99": percentile(warm, 99), "load": waits.per_s}
