"""How often and how fast a job is tried: the options of each priority and type, and the retry ladder they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import TypedDict, Unpack

from shared.jobs.types import JobPriority, JobType

# Waits beyond this go to the outbox, where they can be listed and withdrawn.
_LADDER_TOP_MS = 16 * 60 * 1000


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """How one job is treated."""

    priority: JobPriority
    attempts: int  # runs in all, the first one included
    backoff_ms: int  # wait after the first failure; each further failure doubles it

    def retry_delay_ms(self, failures: int) -> int:
        """Milliseconds to wait after the n-th failure: backoff, twice it, four times it, ..."""
        return int(self.backoff_ms * 2 ** (failures - 1))

    def retry_delays_ms(self) -> list[int]:
        """All waits between the first run and the last."""
        return [self.retry_delay_ms(failures) for failures in range(1, self.attempts)]


class Overrides(TypedDict, total=False):
    """What a caller may change; times in milliseconds or as timedelta."""

    attempts: int
    backoff: int | timedelta


def create_critical_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of work a person waits for: 3 attempts from 2 s."""
    return _options(JobPriority.CRITICAL, 3, 2_000, overrides)


def create_high_priority_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of work that keeps accounts usable: 5 attempts from 5 s."""
    return _options(JobPriority.HIGH, 5, 5_000, overrides)


def create_normal_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of planned work: 5 attempts from 10 s."""
    return _options(JobPriority.NORMAL, 5, 10_000, overrides)


def create_low_priority_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of monitoring: 10 attempts from 15 s."""
    return _options(JobPriority.LOW, 10, 15_000, overrides)


def create_very_low_priority_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of analytics and cleanup: 15 attempts from 30 s."""
    return _options(JobPriority.VERY_LOW, 15, 30_000, overrides)


def _options(priority: JobPriority, attempts: int, backoff_ms: int, overrides: Overrides) -> JobOptions:
    return JobOptions(
        priority=priority,
        attempts=overrides.get("attempts", attempts),
        backoff_ms=_milliseconds(overrides.get("backoff", backoff_ms)),
    )


def _milliseconds(value: int | timedelta) -> int:
    return round(value.total_seconds() * 1000) if isinstance(value, timedelta) else value


_BY_TYPE: Mapping[JobType, JobOptions] = MappingProxyType(
    {
        JobType.POST_PUBLISH: create_critical_job_options(),
        JobType.HEALTH_CHECK: create_high_priority_job_options(),
        JobType.TOKEN_REFRESH: create_high_priority_job_options(),
        JobType.SCHEDULE_PROCESS: create_normal_job_options(),
        JobType.IMPORT_ACCOUNTS: create_normal_job_options(),
        JobType.WEBHOOK_DELIVER: create_normal_job_options(),
        JobType.MEDIA_CHECK: create_low_priority_job_options(),
        JobType.HEALTH_MONITOR: create_low_priority_job_options(),
        JobType.ANALYTICS_PROCESS: create_very_low_priority_job_options(),
        JobType.CLEANUP_OLD_JOBS: create_very_low_priority_job_options(),
    }
)


def get_job_options_by_type(job_type: JobType, *, planned: bool = False) -> JobOptions:
    """The options of a type.

    Args:
        job_type: the job.
        planned: a post that nobody waits for (a distribution, a schedule) stands in the normal lane, so that "now"
            never waits behind somebody's 10,000. It has no effect on other types.
    """
    options = _BY_TYPE[job_type]
    if planned and job_type is JobType.POST_PUBLISH:
        return replace(options, priority=JobPriority.NORMAL)
    return options


#: Waits that have a queue of their own at the broker: every delay of the table up to 16 minutes.
RETRY_STEPS_MS: tuple[int, ...] = tuple(
    sorted({delay for options in _BY_TYPE.values() for delay in options.retry_delays_ms() if delay <= _LADDER_TOP_MS})
)


def covering_step_ms(delay_ms: int) -> int | None:
    """The shortest step of the ladder that is not shorter than the delay; None if the wait belongs in the outbox."""
    return next((step for step in RETRY_STEPS_MS if step >= delay_ms), None)
