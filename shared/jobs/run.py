"""Running one job: from its envelope to an outcome. Knows no broker, so that every runner decides alike."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import asyncpg
import msgspec
import structlog
from structlog.contextvars import bind_contextvars

from shared.jobs.envelope import Job
from shared.jobs.options import LONGEST_WAIT_MS
from shared.jobs.outcomes import CRASH_LOOP, Again, Dead, Done, Expired, Outcome, Permanent, Transient
from shared.jobs.payloads import Payload, UnknownVersionError, read_payload
from shared.jobs.types import JobType
from shared.trace import bind_trace

_SERVERS_AWAY = (
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.TooManyConnectionsError,
)
_SERVERS_AWAY_DELAY_MS = 5_000
# A server may be away for the night; what looks like it for longer is a defect, and the policy decides again.
_MOST_AWAY = 10_000
_HANDLER_TIMEOUT_S = 600.0
_ON_PARKED_TIMEOUT_S = 60.0

log = structlog.get_logger()

#: A handler gets the job and its payload. It returns None when done, or `Again`; it raises `Transient` or `Permanent`.
Run: TypeAlias = Callable[[Job, Any], Awaitable[Again | None]]
#: Told that a job is about to be parked. It may answer `Again`, to be told later instead.
OnParked: TypeAlias = Callable[[Job, Any, Dead], Awaitable[Again | None]]


@dataclass(frozen=True, kw_only=True)
class Handler:
    """How one job type is handled."""

    payload: type[Payload]
    run: Run
    timeout_s: float = _HANDLER_TIMEOUT_S  # a run that lasts longer is stopped, and has failed
    on_parked: OnParked | None = None  # ends what the job stood for


def bind_job(job: Job) -> None:
    """Let the log lines of this task tell of the job, and the jobs it adds go on in its request and trace.

    The task is the job's own and ends with it, so nothing need be unbound.
    """
    fields: dict[str, object] = {
        "job_id": job.id,
        "job_type": job.type,
        "subject": job.subject,
        "attempt": job.attempt,
    }
    if (request_id := job.headers.get("x-request-id")) is not None:
        fields["request_id"] = request_id
    bind_contextvars(**fields)
    bind_trace(job.headers.get("traceparent"))


async def run_job(job: Job, handlers: Mapping[JobType, Handler], *, now_ms: int) -> Outcome:
    """Run the job's handler and say what follows. Never raises but for cancellation.

    Args:
        job: the job.
        handlers: by type.
        now_ms: the time, in milliseconds since the epoch.
    """
    found = find(job, handlers)
    if isinstance(found, Dead):
        return found
    handler, payload = found
    outcome = _overdue(job) if _is_overdue(job, now_ms) else await _run(job, handler, payload, now_ms=now_ms)
    return await park(job, handlers, outcome) if isinstance(outcome, Dead) else outcome


async def park(job: Job, handlers: Mapping[JobType, Handler], dead: Dead) -> Outcome:
    """Tell the handler that its job is about to be parked; it may put that off."""
    found = find(job, handlers)
    if isinstance(found, Dead):
        return dead
    handler, payload = found
    if handler.on_parked is None:
        return dead
    try:
        async with asyncio.timeout(_ON_PARKED_TIMEOUT_S):
            later = await handler.on_parked(job, payload, dead)
    except Exception as error:
        log.exception("job.not_ended", reason=dead.reason)
        later = Again(delay_ms=_SERVERS_AWAY_DELAY_MS, away=isinstance(error, _SERVERS_AWAY))
    # What ends its workers must not run again while its parking is put off.
    return dead if later is None else replace(later, suspect=dead.reason == CRASH_LOOP)


def find(job: Job, handlers: Mapping[JobType, Handler]) -> tuple[Handler, Payload] | Dead:
    """The handler and the payload it wants, or why there is none."""
    handler = handlers.get(job.type)
    if handler is None:
        return Dead(reason="unknown_type", error=f"no handler for {job.type} here")
    try:
        return handler, read_payload(handler.payload, job.payload, version=job.version)
    except UnknownVersionError as error:
        return Dead(reason="unknown_version", error=f"{job.type}: {error}")
    except msgspec.MsgspecError as error:
        return Dead(reason="undecodable", error=str(error))
    except Exception as error:  # an upcast is code of ours, and may have a defect
        log.exception("job.not_upcast")
        return Dead(reason="undecodable", error=f"{type(error).__name__}: {error}")


async def _run(job: Job, handler: Handler, payload: Payload, *, now_ms: int) -> Outcome:
    limit_s = handler.timeout_s
    if job.deadline_ms is not None:
        limit_s = min(limit_s, (job.deadline_ms - now_ms) / 1000)
    clock = asyncio.timeout(limit_s)
    try:
        async with clock:
            again = await handler.run(job, payload)
            return Done() if again is None else _again(again.delay_ms)
    except Permanent as error:
        return Dead(reason=error.reason, error=str(error))
    except Transient as error:
        log.warning("job.failed", error=str(error))
        return _retry(job, str(error), error.retry_after_s)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Not this run was canceled, but something it waited for.
        return _retry(job, "a call inside it was canceled", None)
    except _SERVERS_AWAY as error:
        if clock.expired():
            log.warning("job.stopped", after_s=limit_s)
            return _overdue(job) if limit_s < handler.timeout_s else _retry(job, f"ran longer than {limit_s:g} s", None)
        return _wait_for_servers(job, error)
    except Exception as error:
        # A bug: the policy decides, and the log has the trace.
        log.exception("job.crashed")
        return _retry(job, f"{type(error).__name__}: {error}", None)


def _wait_for_servers(job: Job, error: Exception) -> Outcome:
    """Our own servers' bad minute is no failure of the job."""
    text = str(error) or type(error).__name__
    log.warning("job.servers_away", error=text)
    if job.away >= _MOST_AWAY:
        return _retry(job, text, None)
    return Again(delay_ms=_SERVERS_AWAY_DELAY_MS, away=True)


def _retry(job: Job, error: str, retry_after_s: float | None) -> Outcome:
    if job.attempt >= job.options.attempts:
        return Dead(reason="exhausted", error=error)
    # What a server wishes comes from its header, and may be anything that looks like a number.
    if retry_after_s is not None and math.isfinite(retry_after_s):
        return _again(retry_after_s * 1000, failed=True, error=error)
    return _again(job.options.jittered_ms(job.options.retry_delay_ms(job.attempt)), failed=True, error=error)


def _again(delay_ms: float, *, failed: bool = False, error: str | None = None) -> Again:
    return Again(delay_ms=round(min(max(delay_ms, 0), LONGEST_WAIT_MS)), failed=failed, error=error)


def _is_overdue(job: Job, now_ms: int) -> bool:
    return job.deadline_ms is not None and job.deadline_ms <= now_ms


def _overdue(job: Job) -> Outcome:
    if job.repeat is not None:
        return Expired()
    return Dead(reason="deadline", error="its deadline passed before it was done")
