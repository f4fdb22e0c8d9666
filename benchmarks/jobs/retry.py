"""How exactly a failed job comes back after the delay its policy gives it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.rows import Row, percentile
from benchmarks.trials import CRITICAL, fresh_trial

_JOBS = 500
_PER_S = 100.0
_DELAY_MS = 2_000


async def retry(bench: Bench) -> list[Row]:
    """The engine's jobs fail once and wait on the 2 s step of the ladder; from the failure to the next start."""
    bench.report.begin("retry", trials=bench.runs)
    return bench.rows("retry", [bench.engine], await bench.rounds([bench.engine], partial(_measure, bench)))


async def _measure(bench: Bench, contender: Contender) -> Figures:
    async with fresh_trial(bench.servers, contender.subject, priorities=True) as trial:
        order = replace(trial.order, role="retry", count=bench.scaled(_JOBS), rate_per_s=_PER_S, priority=CRITICAL)
        delays = await trial.flow(replace(order, settings=contender.settings))
    errors = [abs(delay_ms - _DELAY_MS) for delay_ms in delays.ms]
    return {"error_p50": percentile(errors, 50), "error_p99": percentile(errors, 99)}
