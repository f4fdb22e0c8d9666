"""A job on the wire: what travels in the body and in the headers, and how it is read back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import structlog
from uuid_utils.compat import uuid7

from shared.jobs import topology
from shared.jobs.options import JobOptions, get_job_options_by_type
from shared.jobs.payloads import Payload
from shared.jobs.types import SERVICE_OF, JobPriority, JobType
from shared.outbox import Message
from shared.trace import current_traceparent, new_traceparent

# What a job keeps from run to run. A broker's own headers (x-death) are never among them: sent back, they make some
# versions drop the message.
_KEPT = frozenset(
    {
        "x-job-id",
        "x-subject",
        "x-version",
        "x-attempt",
        "x-attempts",
        "x-backoff-ms",
        "x-cap-ms",
        "x-jitter",
        "x-deadline",
        "x-due",
        "x-repeat",
        "x-suspect",
        "x-away",
        "x-failures",
        "x-redriven",
        "x-request-id",
        "traceparent",
    }
)
_FIRST_VERSION = 1
_MOST_SUBJECT_CHARS = 500
_MOST_DIGITS = 15
_TYPES: Mapping[str, JobType] = {job_type.value: job_type for job_type in JobType}


class EnvelopeError(ValueError):
    """A delivery that is no job of ours, or of a version this process does not know. It is parked, never retried."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery of a job."""

    id: str
    type: JobType
    subject: str  # what it is about; with the type it is unique in the outbox
    payload: bytes  # JSON
    version: int
    options: JobOptions
    attempt: int = 1  # this run's number, from 1
    headers: Mapping[str, str] = {}

    @property
    def due_ms(self) -> int | None:
        """When it could have begun, in milliseconds since the epoch; None if nobody said."""
        return _whole(self.headers.get("x-due"))

    @property
    def deadline_ms(self) -> int | None:
        """When it is too late to run, in milliseconds since the epoch."""
        return _whole(self.headers.get("x-deadline"))

    @property
    def away(self) -> int:
        """How often it waited because one of our own servers was away."""
        return _whole(self.headers.get("x-away")) or 0

    @property
    def repeat(self) -> str | None:
        """The name of the recurring job this is a firing of."""
        return self.headers.get("x-repeat")

    @property
    def suspect(self) -> bool:
        """Whether a worker may have died of it."""
        return "x-suspect" in self.headers

    def routing_key(self, step: int | str = topology.NOW) -> str:
        """`<step>.<service>.<type>`: the step in milliseconds it waits first, or `now`."""
        return f"{step}.{SERVICE_OF[self.type]}.{self.type}"

    def with_headers(self, **changes: str | None) -> Job:
        """A copy with headers set or, where None is given, removed; `job_id` stands for `x-job-id`."""
        headers = dict(self.headers)
        for name, value in changes.items():
            header = f"x-{name.replace('_', '-')}"
            if value is None:
                headers.pop(header, None)
            else:
                headers[header] = value
        return msgspec.structs.replace(self, headers=headers)


def new_job(
    job_type: JobType,
    payload: Payload,
    *,
    subject: str | None = None,
    options: JobOptions | None = None,
    suspect: bool = False,
    added_ms: int | None = None,
) -> Job:
    """A job that has not run yet. The request and the trace that it is made in travel along.

    Args:
        job_type: what it is.
        payload: what it carries.
        subject: what it is about; None takes the options' unique key, or else the job's own id.
        options: None takes those of the type.
        suspect: a worker may have died of this work: it runs alone, and is parked if that one dies as well.
        added_ms: from when the options' delay and deadline count, in milliseconds since the epoch; None takes the time.
    """
    options = options or get_job_options_by_type(job_type)
    return make_job(
        job_type,
        body=msgspec.json.encode(payload),
        version=payload.VERSION,
        subject=subject,
        options=options,
        suspect=suspect,
        added_ms=added_ms,
    )


def make_job(
    job_type: JobType,
    *,
    body: bytes,
    version: int,
    subject: str | None,
    options: JobOptions,
    deadline_at: datetime | None = None,
    repeat: str | None = None,
    suspect: bool = False,
    added_ms: int | None = None,
) -> Job:
    """As `new_job`, from a payload that is encoded already.

    Args:
        job_type: what it is.
        body: the payload as JSON.
        version: of the payload.
        subject: as for `new_job`.
        options: how it is treated.
        deadline_at: when it is too late to run; None takes the options' deadline, counted from the end of their delay.
        repeat: the name of the recurring job this is a firing of.
        suspect: as for `new_job`.
        added_ms: as for `new_job`.
    """
    job_id = str(uuid7())
    subject = subject or options.unique_key or job_id
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    headers: dict[str, str | None] = {
        "x-job-id": job_id,
        # Each header costs time on its way through; what is usual goes without saying.
        "x-subject": subject if subject != job_id else None,
        "x-version": str(version) if version != _FIRST_VERSION else None,
        **_option_headers(options, get_job_options_by_type(job_type)),
        "x-deadline": _deadline(options, deadline_at, now_ms() if added_ms is None else added_ms),
        "x-repeat": repeat,
        "x-suspect": "1" if suspect else None,
        "x-request-id": str(request_id) if request_id else None,
        "traceparent": current_traceparent() or new_traceparent(),
    }
    return Job(
        id=job_id,
        type=job_type,
        subject=subject,
        payload=body,
        version=version,
        options=options,
        headers={name: value for name, value in headers.items() if value is not None},
    )


def to_outbox(job: Job, *, due_at: datetime | None = None, due_in_ms: int | None = None) -> Message:
    """The outbox message that sends this job to its work queue.

    Args:
        job: what is sent.
        due_at: when; None counts from now, by the database's clock.
        due_in_ms: how long from now; None takes the delay of the job's options.
    """
    return Message(
        type=job.type,
        subject=job.subject,
        exchange=topology.JOBS,
        routing_key=job.routing_key(),
        priority=job.options.priority,
        payload=job.payload,
        headers=job.headers,
        due_at=due_at,
        due_in_ms=job.options.delay_ms if due_in_ms is None else due_in_ms,
    )


def read_job(*, routing_key: str, headers: Mapping[str, Any], priority: int | None, body: bytes) -> Job:
    """Read a delivery.

    Raises:
        EnvelopeError: it lacks what every job of ours has. Park it.
    """
    try:
        job_type = _TYPES[routing_key.split(".", 2)[2]]
        own = {name: str(value) for name, value in headers.items() if name in _KEPT}
        return Job(
            id=own["x-job-id"],
            type=job_type,
            subject=_subject(own.get("x-subject", own["x-job-id"])),
            payload=body,
            version=int(own.get("x-version", _FIRST_VERSION)),
            attempt=_attempt(own.get("x-attempt", "1")),
            options=_read_options(
                job_type,
                priority,
                own.get("x-attempts"),
                own.get("x-backoff-ms"),
                own.get("x-cap-ms"),
                own.get("x-jitter"),
            ),
            headers=own,
        )
    except (KeyError, IndexError, ValueError) as error:
        raise EnvelopeError(f"not a job of this system: {type(error).__name__} {error}") from error


def now_ms() -> int:
    """This process's wall clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _option_headers(options: JobOptions, usual: JobOptions) -> dict[str, str | None]:
    """Only what differs from the type's own options travels."""
    return {
        "x-attempts": str(options.attempts) if options.attempts != usual.attempts else None,
        "x-backoff-ms": str(options.backoff_ms) if options.backoff_ms != usual.backoff_ms else None,
        "x-cap-ms": None if options.cap_ms is None else str(options.cap_ms),
        "x-jitter": str(options.jitter) if options.jitter else None,
    }


@lru_cache(maxsize=512)
def _read_options(
    job_type: JobType,
    amqp_priority: int | None,
    attempts: str | None,
    backoff_ms: str | None,
    cap_ms: str | None,
    jitter: str | None,
) -> JobOptions:
    usual = get_job_options_by_type(job_type)
    return JobOptions(
        priority=JobPriority(len(JobPriority) + 1 - amqp_priority) if amqp_priority else usual.priority,
        attempts=usual.attempts if attempts is None else int(attempts),
        backoff_ms=usual.backoff_ms if backoff_ms is None else int(backoff_ms),
        cap_ms=None if cap_ms is None else int(cap_ms),
        jitter=0.0 if jitter is None else float(jitter),
    )


def _deadline(options: JobOptions, deadline_at: datetime | None, added_ms: int) -> str | None:
    if deadline_at is not None:
        return str(int(deadline_at.timestamp() * 1000))
    return None if options.deadline_ms is None else str(added_ms + options.delay_ms + options.deadline_ms)


def _subject(text: str) -> str:
    if len(text) > _MOST_SUBJECT_CHARS or "\0" in text:
        raise ValueError("a subject that no table can hold")
    return text


def _attempt(text: str) -> int:
    attempt = int(text)
    if attempt < 1:
        raise ValueError(f"attempt {attempt}, although they begin with 1")
    return attempt


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) <= _MOST_DIGITS else None
