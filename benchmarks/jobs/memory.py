"""Whether a worker's memory stays flat however many jobs pass through it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import psutil

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.rows import Row
from benchmarks.trials import LOAD, deadline_s, fresh_trial

_JOBS = 100_000
_JOBS_FULL = 1_000_000
_SAMPLES = 20
_BACKLOG_MOST = 20_000
# What a process allocates while it gets going is no leak.
_WARM_UP_SAMPLES = 2


async def memory(bench: Bench) -> list[Row]:
    """Resident memory of one worker of the engine, from a tenth of the jobs to all of them; with `--full` a million."""
    bench.report.begin("memory", trials=1)
    count = bench.scaled(_JOBS_FULL if bench.full else _JOBS)
    measured = await bench.rounds([bench.engine], partial(_measure, bench, count), runs=1)
    return bench.rows(f"memory, {count:,} jobs", [bench.engine], measured)


async def _measure(bench: Bench, count: int, contender: Contender) -> Figures:
    samples = []
    async with fresh_trial(bench.servers, contender.subject) as trial:
        await trial.enqueue(1, {})
        load_order = replace(trial.order, role="fill", count=count, backlog_most=_BACKLOG_MOST)
        work_order = replace(
            trial.order,
            role="consume",
            count=count,
            progress_every=max(1, count // _SAMPLES),
            settings=contender.settings,
        )
        async with trial.run(load_order, module=LOAD) as load, trial.run(work_order) as worker:
            await load.answer(deadline_s=deadline_s(0))
            process = psutil.Process(worker.pid)
            while "seconds" not in await worker.answer(deadline_s=deadline_s(count)):
                samples.append(process.memory_info().rss / 2**20)
    return {"rss": samples[-1], "rss_growth": samples[-1] - samples[_WARM_UP_SAMPLES - 1]}
