"""How often and how fast a job is tried: the options of each priority and type, and the retry ladder they make."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import TypedDict, Unpack

from shared.jobs.repeat import Repeat, RepeatRule, read_repeat
from shared.jobs.types import JobPriority, JobType

# Waits beyond this go to the outbox, where they can be listed and withdrawn.
_LADDER_TOP_MS = 16 * 60 * 1000
#: No wait is longer, whatever the doubling or a server's own wish says.
LONGEST_WAIT_MS = 30 * 24 * 60 * 60 * 1000
_MOST_ATTEMPTS = 100
_MOST_KEY_CHARS = 200


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """How one job is treated."""

    priority: JobPriority
    attempts: int  # runs in all, the first one included
    backoff_ms: int  # wait after the first failure; each further failure doubles it
    cap_ms: int | None = None  # longest wait between two runs
    jitter: float = 0.0  # up to this share of a wait is added to it, at random
    delay_ms: int = 0  # wait before the first run
    deadline_ms: int | None = None  # counted from the end of the delay: later, the job is not begun, and is stopped
    unique_key: str | None = None  # with the type unique among jobs that are not sent yet
    repeat: RepeatRule | None = None

    def __post_init__(self) -> None:
        faults = [
            text
            for fits, text in (
                (
                    isinstance(self.attempts, int) and 1 <= self.attempts <= _MOST_ATTEMPTS,
                    f"attempts must be a whole number from 1 to {_MOST_ATTEMPTS}",
                ),
                (self.backoff_ms >= 0, "backoff must not be negative"),
                (self.cap_ms is None or self.cap_ms >= 1, "cap must be at least 1 ms"),
                (0 <= self.jitter <= 1, "jitter must be a share from 0 to 1"),
                (0 <= self.delay_ms <= LONGEST_WAIT_MS, "delay must be from 0 to 30 days"),
                (
                    self.deadline_ms is None or 1 <= self.deadline_ms <= LONGEST_WAIT_MS,
                    "deadline must be from 1 ms to 30 days",
                ),
                (
                    self.unique_key is None
                    or (1 <= len(self.unique_key) <= _MOST_KEY_CHARS and "\0" not in self.unique_key),
                    f"unique_key must have from 1 to {_MOST_KEY_CHARS} characters, none of them NUL",
                ),
                (self.repeat is None or self.unique_key is not None, "a repeated job needs a unique_key: its name"),
            )
            if not fits
        ]
        if faults:
            raise ValueError("; ".join(faults))

    def retry_delay_ms(self, failures: int) -> int:
        """Milliseconds to wait after the n-th failure, without jitter: backoff, twice it, four times it, ..."""
        most = LONGEST_WAIT_MS if self.cap_ms is None else min(self.cap_ms, LONGEST_WAIT_MS)
        return min(self.backoff_ms << (failures - 1), most)

    def retry_delays_ms(self) -> list[int]:
        """All waits between the first run and the last, without jitter."""
        return [self.retry_delay_ms(failures) for failures in range(1, self.attempts)]

    def jittered_ms(self, delay_ms: int) -> int:
        """The wait with its random share."""
        return delay_ms + int(delay_ms * random.uniform(0, self.jitter)) if self.jitter else delay_ms  # noqa: S311


class Overrides(TypedDict, total=False):
    """What a caller may change; times in milliseconds or as timedelta."""

    delay: int | timedelta
    repeat: Repeat
    attempts: int
    backoff: int | timedelta
    cap: int | timedelta
    jitter: float
    unique_key: str
    deadline: int | timedelta


def create_critical_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of work a person waits for: 3 attempts from 2 s.

    Args:
        **overrides: `delay` before the first run; `repeat` (`{"every": ...}` or `{"cron": ..., "zone": ...}`);
            `attempts` in all; `backoff` after the first failure; `cap` of the doubling; `jitter`, the share of a wait
            that chance adds; `unique_key`; `deadline`. Times in milliseconds (int) or as timedelta.

    Raises:
        ValueError: a value that cannot be meant; the text lists all of them. Mend the call.
    """
    return _options(JobPriority.CRITICAL, 3, 2_000, overrides)


def create_high_priority_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of work that keeps accounts usable: 5 attempts from 5 s. Arguments as for critical ones."""
    return _options(JobPriority.HIGH, 5, 5_000, overrides)


def create_normal_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of planned work: 5 attempts from 10 s. Arguments as for critical ones."""
    return _options(JobPriority.NORMAL, 5, 10_000, overrides)


def create_low_priority_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of monitoring: 10 attempts from 15 s. Arguments as for critical ones."""
    return _options(JobPriority.LOW, 10, 15_000, overrides)


def create_very_low_priority_job_options(**overrides: Unpack[Overrides]) -> JobOptions:
    """Options of analytics and cleanup: 15 attempts from 30 s. Arguments as for critical ones."""
    return _options(JobPriority.VERY_LOW, 15, 30_000, overrides)


def _options(priority: JobPriority, attempts: int, backoff_ms: int, overrides: Overrides) -> JobOptions:
    unknown = overrides.keys() - Overrides.__annotations__.keys()
    if unknown:
        raise TypeError(f"unknown job option: {', '.join(sorted(unknown))}")
    repeat = overrides.get("repeat")
    return JobOptions(
        priority=priority,
        attempts=overrides.get("attempts", attempts),
        backoff_ms=milliseconds(overrides.get("backoff", backoff_ms)),
        cap_ms=_optional_milliseconds(overrides.get("cap")),
        jitter=overrides.get("jitter", 0.0),
        delay_ms=milliseconds(overrides.get("delay", 0)),
        deadline_ms=_optional_milliseconds(overrides.get("deadline")),
        unique_key=overrides.get("unique_key"),
        repeat=None if repeat is None else read_repeat(repeat),
    )


def milliseconds(value: int | timedelta) -> int:
    """A time that a caller gave in milliseconds or as timedelta, in milliseconds."""
    return round(value.total_seconds() * 1000) if isinstance(value, timedelta) else round(value)


def _optional_milliseconds(value: int | timedelta | None) -> int | None:
    return None if value is None else milliseconds(value)


_BY_PRIORITY = (
    create_critical_job_options(),
    create_high_priority_job_options(),
    create_normal_job_options(),
    create_low_priority_job_options(),
    create_very_low_priority_job_options(),
)
_BY_TYPE: Mapping[JobType, JobOptions] = MappingProxyType(
    {
        JobType.POST_PUBLISH: create_critical_job_options(),
        JobType.HEALTH_CHECK: create_high_priority_job_options(),
        JobType.TOKEN_REFRESH: create_high_priority_job_options(),
        JobType.SCHEDULE_PROCESS: create_normal_job_options(),
        JobType.IMPORT_ACCOUNTS: create_normal_job_options(),
        # Seven doubling waits that make a day: a receiver may be away overnight.
        JobType.WEBHOOK_DELIVER: create_normal_job_options(attempts=8, backoff=timedelta(seconds=680)),
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


#: Waits that have a queue of their own at the broker: every delay of the five priorities up to 16 minutes.
RETRY_STEPS_MS: tuple[int, ...] = tuple(
    sorted({delay for options in _BY_PRIORITY for delay in options.retry_delays_ms() if delay <= _LADDER_TOP_MS})
)


def covering_step_ms(delay_ms: int) -> int | None:
    """The shortest step of the ladder that is not shorter than the delay; None if there is none."""
    return next((step for step in RETRY_STEPS_MS if step >= delay_ms), None)
