"""What one worker does with one delivery: read it, run it within the slots, settle it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache

import structlog

from shared import metrics
from shared.database import Pool
from shared.jobs import starts
from shared.jobs.broker import BROKER_ERRORS
from shared.jobs.delivery import Delivery
from shared.jobs.envelope import EnvelopeError, Job, now_ms
from shared.jobs.gate import Gate
from shared.jobs.monitor import job_monitor
from shared.jobs.outcomes import CRASH_LOOP, Again, Dead, Done, Expired, Outcome
from shared.jobs.run import Handler, bind_job, park, run_job
from shared.jobs.sender import NotSentError, Sender
from shared.jobs.settle import hand_back, settle
from shared.jobs.types import JobPriority, JobType

_UNSETTLED_PAUSE_S = 1.0
_MOST_KNOWN = 10_000
_SUSPECTS_PER_SLOT = 2

log = structlog.get_logger()


class Work:
    """The slots of one consumer, and what happens in them."""

    def __init__(self, *, slots: int, handlers: Mapping[JobType, Handler], sender: Sender, pool: Pool) -> None:
        """Begin with all slots free; the arguments are the consumer's."""
        self._handlers = handlers
        self._sender = sender
        self._pool = pool
        # Handlers of a lost session may still run when a new one delivers: together they stay within the slots.
        self._places = asyncio.Semaphore(slots)
        self._gate = Gate()
        # Begun here, and ended here lately: should one come again, nobody died of it. A mere connection was lost, and
        # with it, perhaps, the acknowledgement of what was done. A later sending of the same job is another matter.
        self._begun: set[tuple[str, str]] = set()
        self._ended: OrderedDict[tuple[str, str], None] = OrderedDict()
        # A broker that crashed calls everything it kept redelivered, however long its queues: beyond what workers can
        # have had in hand the word means nothing. What ends this process all the same comes first to the next one,
        # which begins to count anew.
        self._most_suspects = self._suspects_left = _SUSPECTS_PER_SLOT * slots
        self._alone: Job | None = None

    async def begin_session(self) -> None:
        """The broker delivers anew: what comes again is looked at anew, and nobody died of what runs here alone.

        Raises:
            one of asyncpg's errors, OSError: the count of starts could not be mended.
        """
        self._suspects_left = self._most_suspects
        if self._alone is not None:
            await starts.end(self._pool, self._alone)

    async def do(self, delivery: Delivery) -> None:
        """Work on a delivery until it is settled or given back. Runs as a task of its own."""
        try:
            async with self._places:
                await self._do(delivery)
        except asyncio.CancelledError:
            # The process stops: the job goes on elsewhere at once, and this start counts for nothing.
            await self.give_back(delivery)
        except (*BROKER_ERRORS, NotSentError) as error:
            log.warning("job.unsettled", error=str(error) or type(error).__name__)
            await self._pause_and_give_back(delivery)
        except Exception:
            log.exception("job.settle_failed")
            await self._pause_and_give_back(delivery)

    async def give_back(self, delivery: Delivery) -> None:
        """Let go of a delivery as it was taken: it has not failed, and is a suspect only if it was one."""
        if not delivery.in_hand:
            return  # settled, or the broker has taken it back already
        try:
            job = delivery.job
            if job.suspect or (delivery.redelivered and not self._knows(job)):
                job = job.with_headers(suspect="1")
            await hand_back(delivery, job, sender=self._sender)
        except (EnvelopeError, NotSentError):
            await delivery.give_back()

    async def _do(self, delivery: Delivery) -> None:
        try:
            job = delivery.job
        except EnvelopeError as error:
            metrics.jobs_total.labels("unreadable", "", "dead").inc()
            await self._settle(delivery, None, Dead(reason="unreadable", error=str(error)))
            return
        bind_job(job)
        if job.suspect or (delivery.redelivered and self._take_as_suspect(job)):
            async with self._gate.alone():
                outcome = await self._run_suspect(job)
        else:
            await self._gate.enter()
            try:
                outcome = await self._run(job)
            finally:
                self._gate.leave()
        await self._settle(delivery, job, outcome)
        if outcome is _CRASHED:
            await starts.end(self._pool, job)
        _meters(job.type, job.options.priority).outcome(_label(outcome)).inc()

    def _knows(self, job: Job) -> bool:
        sending = _sending(job)
        return sending in self._begun or sending in self._ended

    def _take_as_suspect(self, job: Job) -> bool:
        """Whether a worker may have died of a job that was redelivered; counts those it says so of."""
        if self._knows(job) or self._suspects_left == 0:
            return False
        self._suspects_left -= 1
        return True

    async def _run_suspect(self, job: Job) -> Outcome:
        """Run a job that came again without a word from its worker: the worker may have died of it."""
        start = await starts.begin(self._pool, job)
        if start >= starts.LAST_START:
            # Its count stands until it is parked: should that fail or be put off, it must not run again.
            log.error("job.crash_loop", start=start)
            return await park(job, self._handlers, _CRASHED)
        self._alone = job
        try:
            return await self._run(job)
        finally:
            self._alone = None
            await starts.end(self._pool, job)

    async def _run(self, job: Job) -> Outcome:
        sending = _sending(job)
        self._begun.add(sending)
        began_ms = now_ms()
        meters = _meters(job.type, job.options.priority)
        if (due_ms := job.due_ms) is not None:
            meters.wait_s.observe(max(0, began_ms - due_ms) / 1000)
        job_monitor.record_job_started(job.type)
        began = time.perf_counter()
        failed = True  # stands if the handler is canceled
        try:
            outcome = await run_job(job, self._handlers, now_ms=began_ms)
            failed = isinstance(outcome, Dead) or (isinstance(outcome, Again) and outcome.failed)
        finally:
            self._begun.discard(sending)
            self._ended[sending] = None
            if len(self._ended) > _MOST_KNOWN:
                self._ended.popitem(last=False)
            took_s = time.perf_counter() - began
            meters.run_s.observe(took_s)
            (job_monitor.record_job_failed if failed else job_monitor.record_job_complete)(job.type)
        log.debug("job.done", outcome=_label(outcome), duration_ms=round(took_s * 1000, 1))
        return outcome

    async def _settle(self, delivery: Delivery, job: Job | None, outcome: Outcome) -> None:
        settling = settle(delivery, job, outcome, sender=self._sender, pool=self._pool)
        if isinstance(outcome, Done | Expired):
            await settling
            return
        # A stop in the midst of it would leave the job twice: as what follows, and as what is handed back.
        task = asyncio.create_task(settling)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await task
            raise

    async def _pause_and_give_back(self, delivery: Delivery) -> None:
        # Not settled, so it must come again; and not at once, for what failed may need a moment.
        try:
            await asyncio.sleep(_UNSETTLED_PAUSE_S)
        finally:
            await delivery.give_back()


class _Meters:
    """The series of one lane, looked up once: a look-up costs more than what is counted."""

    def __init__(self, job_type: JobType, priority: JobPriority) -> None:
        lane = (job_type, priority.name.lower())
        self.wait_s = metrics.job_wait_seconds.labels(*lane)
        self.run_s = metrics.job_seconds.labels(job_type)
        self.outcome = cache(lambda outcome: metrics.jobs_total.labels(*lane, outcome))


@cache
def _meters(job_type: JobType, priority: JobPriority) -> _Meters:
    return _Meters(job_type, priority)


_CRASHED = Dead(
    reason=CRASH_LOOP,
    error="two workers ended without a word while they ran it, the second with nothing beside it. Look for what ends"
    " the process (memory, a crash in a library) before it is sent again.",
)


def _sending(job: Job) -> tuple[str, str]:
    return job.id, job.headers.get("x-due", "")


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
        case Expired():
            return "expired"
