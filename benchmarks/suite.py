"""Running a suite from start to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks import api, cache, cleanup, health, indexes, jobs, pagination, publishing, schedules
from benchmarks.bench import Bench, Case
from benchmarks.machine import machine_facts
from benchmarks.processes import BenchmarkError
from benchmarks.progress import reporting
from benchmarks.report import Result
from benchmarks.rows import Row, ratios
from benchmarks.servers import private_servers
from benchmarks.subjects import SUBJECTS as TASK_SYSTEMS
from benchmarks.subjects import Subject
from shared.logs import configure_logs


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What belongs together: cases by their names, in the order in which they run, and who is measured in them."""

    cases: Mapping[str, Case]
    subjects: Sequence[Subject] = ()


SUITES: Mapping[str, Suite] = {
    "jobs": Suite(cases=jobs.CASES, subjects=TASK_SYSTEMS),
    "cache": Suite(cases=cache.CASES, subjects=cache.SUBJECTS),
    "pagination": Suite(cases=pagination.CASES),
    "indexes": Suite(cases=indexes.CASES),
    "publishing": Suite(cases=publishing.CASES),
    "api": Suite(cases=api.CASES),
    "health": Suite(cases=health.CASES),
    "cleanup": Suite(cases=cleanup.CASES),
    "schedules": Suite(cases=schedules.CASES),
}


async def run_suite(
    suite: str, *, cases: Sequence[str], subjects: Sequence[Subject], runs: int, scale: float, full: bool
) -> Result:
    """Run cases of a suite on servers of their own.

    Args:
        suite: its name.
        cases: their names, in any order; they run in the suite's.
        subjects: who is measured.
        runs: turns of each subject.
        scale: share of the usual size: jobs, reads, rows.
        full: run what takes minutes in its full length.

    Returns:
        All figures, and the cases that failed.

    Raises:
        InstaDistroError: the servers could not be started; nothing was measured.
    """
    # Slow queries and lost connections are what some cases measure.
    configure_logs(service="bench", level="error", log_format="console")
    found: list[Row] = []
    failures = []
    with reporting() as report:
        async with private_servers() as servers:
            machine = await machine_facts(servers, subjects)
            bench = Bench(servers=servers, subjects=tuple(subjects), runs=runs, scale=scale, full=full, report=report)
            for name, case in SUITES[suite].cases.items():
                if name not in cases:
                    continue
                try:
                    found += await case(bench)
                except BenchmarkError as error:
                    failures.append(f"{name}: {error}")
    found = [replace(row, suite=suite) for row in [*found, *ratios(found)]]
    return Result(
        machine=machine,
        settings=bench.settings,
        rows=[row for row in found if row.unit != "x"],
        ratios=[row for row in found if row.unit == "x"],
        failures=failures,
    )
