"""Taking jobs from a work queue: slots, handlers, an orderly stop, and a session made anew whenever it was lost."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import asyncpg
import msgspec
import structlog
from aio_pika.abc import AbstractIncomingMessage

from shared import metrics
from shared.database import Pool
from shared.errors import NotReadyError
from shared.jobs import topology
from shared.jobs.broker import BROKER_ERRORS, Session, keep_session, until_any
from shared.jobs.envelope import EnvelopeError, Job, read_job
from shared.jobs.monitor import job_monitor
from shared.jobs.outcomes import Again, Dead, Done, Outcome, Permanent, Transient
from shared.jobs.payloads import Payload
from shared.jobs.sender import NotSentError, Sender
from shared.jobs.settle import settle
from shared.jobs.types import JobType

# Canceled handlers get this long to hand back what they hold.
_HAND_BACK_S = 5.0
_UNSETTLED_PAUSE_S = 1.0
# A broker that does not answer within this time ends the session, and the next one begins.
_CALL_DEADLINE_S = 5.0
_SERVERS_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.TooManyConnectionsError,
)
_SERVERS_AWAY_DELAY_MS = 5_000

log = structlog.get_logger()

#: A handler gets the job and its payload. It returns None when done, or `Again`; it raises `Transient` or `Permanent`.
Run: TypeAlias = Callable[[Job, Any], Awaitable[Again | None]]


@dataclass(frozen=True, kw_only=True)
class Handler:
    """How one job type is handled."""

    payload: type[Payload]
    run: Run


@dataclass(kw_only=True)
class Consumer:
    """Works on one service's queue until told to stop."""

    service: str
    urls: Sequence[str]
    slots: int  # jobs at a time; also the prefetch, so that no urgent job waits behind one fetched early
    handlers: Mapping[JobType, Handler]
    sender: Sender
    pool: Pool
    drain_s: float  # how long a stop waits for running handlers before it cancels them
    on_missing: topology.OnMissing | None = None
    _connected: bool = False
    _stop: asyncio.Event | None = None
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.slots)

    async def ready(self) -> None:
        """Raise unless the queue is being consumed; for a readiness probe."""
        if not self._connected:
            raise NotReadyError("the work queue is not being consumed at the moment")

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until the event is set, then let running handlers finish and return."""
        self._stop = stop
        use = partial(self._consume, stop=stop)
        await keep_session(self.urls, name=f"{self.service}-consumer", stop=stop, use=use)
        await self._drain()

    async def _consume(self, session: Session, stop: asyncio.Event) -> None:
        await topology.restore_topology(session.connection, on_missing=self.on_missing)
        await session.channel.set_qos(prefetch_count=self.slots, timeout=_CALL_DEADLINE_S)
        queue = await session.channel.get_queue(topology.work_queue(self.service), ensure=False)
        tag = await queue.consume(self._deliver, timeout=_CALL_DEADLINE_S)
        self._connected = True
        log.info("consumer.started", queue=queue.name, slots=self.slots)
        try:
            await until_any(stop, session.lost)
        finally:
            self._connected = False
        if stop.is_set():
            with contextlib.suppress(*BROKER_ERRORS):
                await queue.cancel(tag, timeout=_CALL_DEADLINE_S)
            await self._drain()  # while the session can still take their acknowledgements

    async def _drain(self) -> None:
        """Wait for handlers; at the deadline cancel them, and give them a moment to hand back what they hold."""
        if self._running:
            await asyncio.wait(self._running, timeout=self.drain_s)
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=_HAND_BACK_S)

    async def _deliver(self, message: AbstractIncomingMessage) -> None:
        if self._stop is not None and self._stop.is_set():
            await _return(message)  # arrived on the way out
            return
        # A task of its own: the client library cancels its callbacks with a lost session, and a handler in the midst
        # of a call to the platform must not die of a hiccup of the broker.
        task = asyncio.create_task(self._work(message))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _work(self, message: AbstractIncomingMessage) -> None:
        # Handlers of a lost session may still run when a new one delivers: together they stay within the slots.
        async with self._places:
            try:
                await self._handle(message)
            except (*BROKER_ERRORS, NotSentError) as error:
                log.warning("job.unsettled", error=str(error) or type(error).__name__)
            except Exception:
                log.exception("job.settle_failed")
            else:
                return
            # Not settled, so it must come again; and not at once, for what failed may need a moment.
            await asyncio.sleep(_UNSETTLED_PAUSE_S)
            await _return(message)

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        try:
            job = read_job(
                routing_key=message.routing_key or "",
                headers=message.headers,
                priority=message.priority,
                body=message.body,
            )
        except EnvelopeError as error:
            metrics.jobs_total.labels(type="unreadable", outcome="dead").inc()
            dead = Dead(reason="unreadable", error=str(error))
            await settle(message, None, dead, sender=self.sender, pool=self.pool)
            return
        with structlog.contextvars.bound_contextvars(
            job_id=job.id, job_type=job.type, subject=job.subject, request_id=job.headers.get("x-request-id")
        ):
            outcome = await self._run(job)
            await settle(message, job, outcome, sender=self.sender, pool=self.pool)
            metrics.jobs_total.labels(type=job.type, outcome=_label(outcome)).inc()

    async def _run(self, job: Job) -> Outcome:
        handler = self.handlers.get(job.type)
        if handler is None:
            return Dead(reason="unknown_type", error=f"{self.service} has no handler for {job.type}")
        if job.version != handler.payload.VERSION:
            return Dead(reason="unknown_version", error=f"{job.type} version {job.version} is not known here")
        try:
            payload = msgspec.json.decode(job.payload, type=handler.payload)
        except msgspec.MsgspecError as error:
            return Dead(reason="undecodable", error=str(error))
        started = time.perf_counter()
        job_monitor.record_job_started(job.type)
        metrics.jobs_in_flight.inc()
        outcome: Outcome = Again(delay_ms=0, failed=True)  # stands if the handler is cancelled
        try:
            outcome = await _outcome(handler.run, job, payload)
        finally:
            metrics.jobs_in_flight.dec()
            metrics.job_seconds.labels(type=job.type).observe(time.perf_counter() - started)
            failed = isinstance(outcome, Dead) or (isinstance(outcome, Again) and outcome.failed)
            (job_monitor.record_job_failed if failed else job_monitor.record_job_complete)(job.type)
        return outcome


async def _outcome(run: Run, job: Job, payload: Payload) -> Outcome:
    try:
        return await run(job, payload) or Done()
    except Permanent as error:
        return Dead(reason=error.reason, error=str(error))
    except Transient as error:
        log.warning("job.failed", error=str(error), attempt=job.attempt)
        return _retry(job, str(error), error.retry_after_s)
    except _SERVERS_AWAY as error:
        # Our own servers' bad minute is no failure of the job.
        log.warning("job.servers_away", error=str(error) or type(error).__name__)
        return Again(delay_ms=_SERVERS_AWAY_DELAY_MS)
    except Exception as error:
        # A bug: the policy decides, and the log has the trace.
        log.exception("job.crashed", attempt=job.attempt)
        return _retry(job, f"{type(error).__name__}: {error}", None)


def _retry(job: Job, error: str, retry_after_s: float | None) -> Outcome:
    if job.attempt >= job.options.attempts:
        return Dead(reason="exhausted", error=error)
    delay_ms = job.options.retry_delay_ms(job.attempt) if retry_after_s is None else round(retry_after_s * 1000)
    return Again(delay_ms=delay_ms, failed=True)


def _label(outcome: Outcome) -> str:
    match outcome:
        case Done():
            return "done"
        case Again(failed=True):
            return "retried"
        case Again():
            return "waits"
        case Dead():
            return "dead"


async def _return(message: AbstractIncomingMessage) -> None:
    """Back into the queue; where the session is gone, the broker has put it back already."""
    with contextlib.suppress(*BROKER_ERRORS):
        await message.nack(requeue=True)
