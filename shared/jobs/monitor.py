"""Counts of what this process has done, per job type."""

from __future__ import annotations

from collections import Counter
from typing import TypedDict

import structlog

from shared import metrics
from shared.performance import add_report_section

log = structlog.get_logger()


class JobStats(TypedDict):
    """Counts since the process began, and how many run now."""

    completed: int
    failed: int
    active: int


class JobMonitor:
    """The seed contract's monitor: told of each start and end, answers per type. It counts one process only."""

    def __init__(self) -> None:
        self._completed: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._active: Counter[str] = Counter()

    def record_job_started(self, job_type: str) -> None:
        """A handler begins."""
        self._active[job_type] += 1

    def record_job_complete(self, job_type: str) -> None:
        """A handler ended without failure."""
        self._active[job_type] -= 1
        self._completed[job_type] += 1

    def record_job_failed(self, job_type: str) -> None:
        """A handler ended with a failure, be it retried or not."""
        self._active[job_type] -= 1
        self._failed[job_type] += 1

    def get_stats(self, job_type: str) -> JobStats:
        """The counts of one type."""
        return JobStats(
            completed=self._completed[job_type], failed=self._failed[job_type], active=self._active[job_type]
        )

    def get_all_stats(self) -> dict[str, JobStats]:
        """The counts of every type seen so far."""
        return {
            job_type: self.get_stats(job_type) for job_type in sorted({*self._completed, *self._failed, *self._active})
        }

    def active(self) -> int:
        """How many handlers run now, of all types."""
        return self._active.total()

    def log_stats(self) -> None:
        """Write the counts of every type seen so far to the log."""
        for job_type, stats in self.get_all_stats().items():
            log.info("jobs.stats", type=job_type, **stats)


job_monitor = JobMonitor()
# Asked for when somebody looks, for each job runs past here twice.
metrics.jobs_in_flight.set_function(job_monitor.active)
add_report_section("job_stats", job_monitor.get_all_stats)
