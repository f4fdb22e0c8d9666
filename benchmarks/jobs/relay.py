"""The way out of the outbox: from a row's due time to the broker's confirm, at a steady pace and in a storm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg

from benchmarks.bench import Bench, Contender, Figures
from benchmarks.processes import BenchmarkError
from benchmarks.rows import Row, percentile
from benchmarks.trials import Trial, deadline_s, fresh_trial
from shared.jobs import (
    CheckAccount,
    JobOptions,
    JobType,
    create_critical_job_options,
    create_very_low_priority_job_options,
    get_job_options_by_type,
    new_job,
    to_outbox,
)
from shared.outbox import append

_MODULE = "benchmarks.peers.relay"
_BATCH = 500  # as the setting RELAY_BATCH is unless somebody changes it
_STEADY_PER_S = 500
_STEADY_S = 10
_STORM = 100_000
# All rows are written before the first of them is due.
_LEAD_S = 1.0
_WRITTEN_PER_S = 4_000
_CHUNK = 5_000
_CALL_DEADLINE_S = 60.0
_NOBODY = UUID(int=0)
_TYPE = JobType.HEALTH_CHECK


async def relay(bench: Bench) -> list[Row]:
    """500 rows a second for 10 s; then 100,000 due at the same moment, and a critical one among them."""
    bench.report.begin("relay", trials=2 * bench.runs)
    engine = replace(bench.engine, settings={"batch": _BATCH})
    rows = []
    for case, measure in (("relay, steady", _steady), ("relay, storm", _storm)):
        rows += bench.rows(case, [engine], await bench.rounds([engine], partial(measure, bench)))
    return rows


async def _steady(bench: Bench, contender: Contender) -> Figures:
    count = bench.scaled(_STEADY_PER_S * _STEADY_S)
    async with fresh_trial(bench.servers, contender.subject) as trial:
        options = get_job_options_by_type(_TYPE)
        rows = [(options, _lead_s(count) + number / _STEADY_PER_S) for number in range(count)]
        late_ms, _ = await _relayed(trial, rows, contender)
    return {"late_p50": percentile(late_ms, 50), "late_p99": percentile(late_ms, 99)}


async def _storm(bench: Bench, contender: Contender) -> Figures:
    count = bench.scaled(_STORM)
    due_s = _lead_s(count)
    many, critical = create_very_low_priority_job_options(), create_critical_job_options()
    rows = [(critical if number == count // 2 else many, due_s) for number in range(count)]
    async with fresh_trial(bench.servers, contender.subject) as trial:
        late_ms, [(batch, critical_ms)] = await _relayed(trial, rows, contender)
    return {
        "rows_per_s": count / max(late_ms) * 1000,
        "critical_batch": float(batch),
        "critical_late": critical_ms,
    }


def _lead_s(count: int) -> float:
    return _LEAD_S + count / _WRITTEN_PER_S


async def _relayed(
    trial: Trial, rows: Sequence[tuple[JobOptions, float]], contender: Contender
) -> tuple[list[float], list[tuple[int, float]]]:
    """Write rows, each due after so many seconds, while the relay runs.

    Returns:
        Milliseconds from due to confirmed, in the order of the confirms; number of the batch and milliseconds of each
        critical row.

    Raises:
        BenchmarkError: writing took so long that rows were due before all were there.
    """
    order = replace(trial.order, role="relay", count=len(rows), settings=contender.settings)
    async with trial.run(order, module=_MODULE) as process:
        await process.answer(deadline_s=deadline_s(0))
        await _write(trial.order.database, rows)
        answer = await process.answer(deadline_s=deadline_s(len(rows)) + rows[-1][1])
    return answer["late_ms"], [(batch, late_ms) for batch, late_ms in answer["critical"]]


async def _write(database_url: str, rows: Sequence[tuple[JobOptions, float]]) -> None:
    connection = await asyncpg.connect(database_url, timeout=_CALL_DEADLINE_S, command_timeout=_CALL_DEADLINE_S)
    try:
        await connection.execute("TRUNCATE outbox")
        began = await connection.fetchval("SELECT now()")
        nobody = CheckAccount(user_id=_NOBODY, account_id=_NOBODY)
        for first in range(0, len(rows), _CHUNK):
            jobs = [
                to_outbox(new_job(_TYPE, nobody, options=options), due_at=began + timedelta(seconds=due_s))
                for options, due_s in rows[first : first + _CHUNK]
            ]
            await append(connection, jobs)
        if await connection.fetchval("SELECT now()") > began + timedelta(seconds=rows[0][1]):
            raise BenchmarkError("Writing the outbox rows took longer than planned; use a smaller --scale.")
    finally:
        await connection.close()
