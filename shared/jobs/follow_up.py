"""What a job carries on to its next run, or to its grave. Pure, so that every runner writes it alike."""

from __future__ import annotations

from datetime import datetime

import msgspec

from shared.jobs.envelope import Job
from shared.jobs.options import RETRY_STEPS_MS
from shared.jobs.outcomes import Again, Dead
from shared.redaction import redact

_MOST_REASON_CHARS = 200
_MOST_ERROR_CHARS = 2_000
_MOST_READ_CHARS = 64_000
# The tale of all attempts travels in a header, and must not outgrow a frame.
_MOST_TOLD = 20
_MOST_TOLD_CHARS = 300


def next_run(job: Job, outcome: Again, *, at: datetime) -> Job:
    """The job as it comes again.

    Args:
        job: as it was run.
        outcome: what came of it.
        at: when; aware.
    """
    changes: dict[str, str | None] = {"suspect": "1" if outcome.suspect else None}
    if outcome.failed:
        changes["attempt"] = str(job.attempt + 1)
        changes["failures"] = _told(job, outcome.error or "", at)
    if outcome.away:
        changes["away"] = str(job.away + 1)
    return job.with_headers(**changes)


def waits_in_outbox(delay_ms: int) -> bool:
    """Whether a wait belongs in the outbox; the others are those the broker has a queue for, and none at all."""
    return delay_ms > 0 and delay_ms not in RETRY_STEPS_MS


def dead_headers(job: Job | None, dead: Dead, *, routing_key: str, at: datetime) -> dict[str, str]:
    """The headers of a dead letter.

    Args:
        job: what is parked; None if it could not be read.
        dead: why.
        routing_key: by which it was delivered.
        at: when; aware.
    """
    headers = {
        "x-dead-reason": _sendable(dead.reason, most=_MOST_REASON_CHARS),
        "x-dead-error": _sendable(dead.error, most=_MOST_ERROR_CHARS),
        "x-routing-key": routing_key,
    }
    if job is None:
        return headers
    return headers | {
        **job.headers,
        "x-subject": job.subject,
        "x-version": str(job.version),
        "x-attempt": str(job.attempt),
        "x-failures": _told(job, dead.error, at),
    }


def _told(job: Job, error: str, at: datetime) -> str:
    """The tale of the attempts so far, with this one."""
    try:
        tale = msgspec.json.decode(job.headers.get("x-failures", "[]"), type=list[dict[str, str | int]])
    except msgspec.MsgspecError:
        tale = []
    told = {
        "attempt": job.attempt,
        "at": at.isoformat(timespec="milliseconds"),
        "error": _sendable(error, most=_MOST_TOLD_CHARS),
    }
    return msgspec.json.encode([*tale, told][-_MOST_TOLD:]).decode()


def _sendable(text: str, *, most: int) -> str:
    """Foreign words as the wire and the database can hold them: no secrets, half characters, NULs; not too many."""
    return redact(text[:_MOST_READ_CHARS])[:most].encode(errors="replace").decode().replace("\0", "")
