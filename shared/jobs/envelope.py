"""A job on the wire: what travels in the body and in the headers, and how it is read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import structlog
from uuid_utils.compat import uuid7

from shared.jobs import topology
from shared.jobs.options import JobOptions, get_job_options_by_type
from shared.jobs.payloads import Payload
from shared.jobs.types import SERVICE_OF, JobPriority, JobType
from shared.outbox import Message

_OWN_HEADERS = ("x-job-id", "x-subject", "x-version", "x-attempt", "x-attempts", "x-backoff-ms", "x-request-id")


class EnvelopeError(ValueError):
    """A delivery that is no job of ours, or of a version this process does not know. It is parked, never retried."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One delivery of a job."""

    id: str
    type: JobType
    subject: str  # what it is about; with the type it is unique in the outbox
    payload: bytes  # JSON
    version: int
    options: JobOptions
    attempt: int = 1  # this run's number, from 1
    headers: Mapping[str, str] = field(default_factory=dict)  # our own, and only ours: never a broker's x-death

    def routing_key(self, step: int | str = topology.NOW) -> str:
        """`<step>.<service>.<type>`: the step in milliseconds it waits first, or `now`."""
        return f"{step}.{SERVICE_OF[self.type]}.{self.type}"


def new_job(job_type: JobType, payload: Payload, *, subject: str, options: JobOptions | None = None) -> Job:
    """A job that has not run yet. The id of the request that makes it travels along."""
    job_id = str(uuid7())
    options = options or get_job_options_by_type(job_type)
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    headers = {
        "x-job-id": job_id,
        "x-subject": subject,
        "x-version": str(payload.VERSION),
        "x-attempts": str(options.attempts),
        "x-backoff-ms": str(options.backoff_ms),
    }
    return Job(
        id=job_id,
        type=job_type,
        subject=subject,
        payload=msgspec.json.encode(payload),
        version=payload.VERSION,
        options=options,
        headers=headers | ({"x-request-id": str(request_id)} if request_id else {}),
    )


def to_outbox(job: Job, *, due_at: datetime | None = None, attempt: int | None = None) -> Message:
    """The outbox message that sends this job to its work queue when it is due (None: now), as run number `attempt`."""
    return Message(
        type=job.type,
        subject=job.subject,
        exchange=topology.JOBS,
        routing_key=job.routing_key(),
        priority=job.options.priority,
        payload=job.payload,
        headers={**job.headers, "x-attempt": str(attempt or job.attempt)},
        due_at=due_at,
    )


def read_job(*, routing_key: str, headers: Mapping[str, Any], priority: int | None, body: bytes) -> Job:
    """Read a delivery.

    Raises:
        EnvelopeError: it lacks what every job of ours has. Park it.
    """
    try:
        job_type = JobType(routing_key.split(".", 2)[2])
        own = {name: str(headers[name]) for name in _OWN_HEADERS if name in headers}
        defaults = get_job_options_by_type(job_type)
        return Job(
            id=own["x-job-id"],
            type=job_type,
            subject=own["x-subject"],
            payload=body,
            version=int(own["x-version"]),
            attempt=int(own.get("x-attempt", "1")),
            options=JobOptions(
                priority=_priority(priority, defaults.priority),
                attempts=int(own.get("x-attempts", defaults.attempts)),
                backoff_ms=int(own.get("x-backoff-ms", defaults.backoff_ms)),
            ),
            headers=own,
        )
    except (KeyError, IndexError, ValueError) as error:
        raise EnvelopeError(f"not a job of this system: {error}") from error


def _priority(amqp: int | None, default: JobPriority) -> JobPriority:
    return default if not amqp else JobPriority(len(JobPriority) + 1 - amqp)
