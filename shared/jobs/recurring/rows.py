"""What a row of `recurring_jobs` holds, as the rest of the engine knows it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.database import Row
from shared.jobs.envelope import make_job, to_outbox
from shared.jobs.options import JobOptions, get_job_options_by_type
from shared.jobs.repeat import Misfire, RepeatRule
from shared.jobs.types import JobType
from shared.outbox import Message

# A repeated job's key is the row's name, its rule has columns of its own, and its delay ends before the first firing.
_STORED = ("priority", "attempts", "backoff_ms", "cap_ms", "jitter", "deadline_ms")


def read_rule(row: Row) -> RepeatRule:
    """The rule, computable or not."""
    return RepeatRule(every_ms=row["every_ms"], cron=row["cron"], zone=row["zone"], misfire=Misfire(row["misfire"]))


def write_options(job_type: JobType, options: JobOptions) -> str:
    """As JSON, what differs from the type's own options: they may change, and the row then follows."""
    usual = get_job_options_by_type(job_type)
    return json.dumps(
        {name: getattr(options, name) for name in _STORED if getattr(options, name) != getattr(usual, name)}
    )


def make_firing(row: Row, *, subject: str, now: datetime, next_due_at: datetime | None) -> Message:
    """The message of one firing, due at once.

    Args:
        row: of the recurring job.
        subject: of the job.
        now: by the database's clock.
        next_due_at: when the firing is too late to run, if the options do not end it sooner; None means never.

    Raises:
        ValueError: the row is of a type or has options that this version does not know.
    """
    job_type = JobType(row["type"])
    options = _read_options(job_type, row["options"])
    ends = [next_due_at] if next_due_at is not None else []
    if options.deadline_ms is not None:
        ends.append(now + timedelta(milliseconds=options.deadline_ms))
    job = make_job(
        job_type,
        body=row["payload"].encode(),
        version=row["version"],
        subject=subject,
        options=options,
        deadline_at=min(ends, default=None),
        repeat=row["name"],
    )
    return to_outbox(job)


def _read_options(job_type: JobType, text: str) -> JobOptions:
    usual = get_job_options_by_type(job_type)
    stored = msgspec.json.decode(text, type=dict[str, Any])
    return msgspec.convert({name: stored.get(name, getattr(usual, name)) for name in _STORED}, type=JobOptions)
