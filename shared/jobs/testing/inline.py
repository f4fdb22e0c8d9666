"""A queue that runs handlers inline, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from shared.database import Connection
from shared.jobs import topology
from shared.jobs.dead import DeadJob, Failure
from shared.jobs.envelope import Job, to_outbox
from shared.jobs.follow_up import dead_headers, next_run, waits_in_outbox
from shared.jobs.options import milliseconds
from shared.jobs.outcomes import Again, Dead, Done, Expired, Outcome
from shared.jobs.queue import JobQueue
from shared.jobs.recurring import Recurring
from shared.jobs.repeat import Misfire
from shared.jobs.run import Handler, bind_job, run_job
from shared.jobs.testing.places import Entry, Places, to_ms
from shared.jobs.testing.timetable import Timetable
from shared.jobs.types import SERVICE_OF, JobType

_START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
# Of one call; a step is a run, or a move of the clock.
_MOST_STEPS = 100_000


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A job that waits for its time, or for its turn."""

    job: Job
    due_at: datetime


class InlineJobs(JobQueue):
    """A queue and a worker in memory, for tests of handlers.

    Jobs are added as to any `JobQueue`; anything given as `tx` stands for a transaction that commits at once. They run
    when the test says so, one at a time, by the rules of the engine: encoded and read back, most urgent first, tried
    again, put off, parked and repeated. Each is in one of four places at any time: `waiting`, `finished`, `dead` or
    `expired`. A job of a service none of whose types has a handler here waits for ever, as it would in that service's
    queue.

    A run takes no time by this clock, unless the handler calls `pass_time`; `timeout_s`, and a deadline that comes
    during the run, end it by the real one. What belongs to processes and servers is not here: several slots, a stop,
    crashed workers, lost connections, transactions that fail, and what only PostgreSQL refuses.
    """

    def __init__(self, handlers: Mapping[JobType, Handler], *, start: datetime = _START) -> None:
        """Begin empty.

        Args:
            handlers: by type.
            start: where the clock begins; aware.
        """
        self.finished: list[Job] = []  # in the order of their ends
        self.dead: list[DeadJob] = []  # in the order of their parking
        self.expired: list[Job] = []  # firings of repeated jobs that were dropped, for the next one had come due
        self._handlers = handlers
        self._now = start.astimezone(UTC)
        self._places = Places({SERVICE_OF[job_type] for job_type in handlers})
        self._timetable = Timetable()
        self._at_work = False

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return self._now

    @property
    def waiting(self) -> list[Waiting]:
        """What is to run, by due time; what was added first comes first."""
        return [Waiting(job=entry.job, due_at=entry.due_at) for entry in self._places.waiting()]

    @property
    def recurring(self) -> dict[str, datetime]:
        """When each repeated job fires next, by name."""
        return self._timetable.next_due()

    async def run_until_idle(self) -> int:
        """Run what is due, and what comes due of it, without moving the clock.

        Returns:
            How many runs there were.

        Raises:
            RuntimeError: jobs come again without end, or a handler called it. The text says what to change.
        """
        return await self.advance(0)

    async def advance(self, by: int | timedelta) -> int:
        """Move the clock from one due time to the next, and run what is due at each.

        Args:
            by: how far, in milliseconds or as timedelta.

        Returns:
            How many runs there were.

        Raises:
            RuntimeError: as for `run_until_idle`.
            ValueError: the way is backward.
        """
        end = self._later(by)
        if self._at_work:
            raise RuntimeError("a handler cannot run other jobs; let it call pass_time to move the clock alone")
        self._at_work = True
        try:
            ran = await self._run_until(end)
        finally:
            self._at_work = False
        self._now = max(self._now, end)
        return ran

    def pass_time(self, by: int | timedelta) -> None:
        """Move the clock and run nothing: as if every worker and scheduler were away, or this handler took so long.

        Args:
            by: how far, in milliseconds or as timedelta.

        Raises:
            ValueError: the way is backward.
        """
        self._now = self._later(by)

    async def _run_until(self, end: datetime) -> int:
        ran = 0
        for _ in range(_MOST_STEPS):
            self._fire()
            entry = self._places.take(self._now)
            if entry is not None:
                await self._run(entry)
                ran += 1
                continue
            dues = [due_at for due_at in self._dues() if due_at <= end]
            if not dues:
                return ran
            self._now = min(dues)
        raise RuntimeError(
            f"{_MOST_STEPS:,} steps did not reach {end}: look for a job that comes again at once, or go in shorter ways"
        )

    def _dues(self) -> list[datetime]:
        """When the clock must stop next, at the latest one of these."""
        next_due_at = self._places.next_due_at()
        return [*self.recurring.values(), *([] if next_due_at is None else [next_due_at])]

    def _fire(self) -> None:
        for message, misfire in self._timetable.fire(self._now):
            put = self._places.append if misfire is Misfire.CATCH_UP else self._places.replace
            put(message, now=self._now)

    async def _run(self, entry: Entry) -> None:
        job = entry.job
        outcome = await asyncio.create_task(self._outcome(job))
        match outcome:
            case Done():
                self.finished.append(job)
            case Expired():
                self.expired.append(job)
            case Dead():
                self.dead.append(_bury(job, outcome, routing_key=entry.message.routing_key, at=self._now))
            case Again():
                self._come_again(job, outcome)

    async def _outcome(self, job: Job) -> Outcome:
        bind_job(job)
        return await run_job(job, self._handlers, now_ms=self._now_ms())

    def _come_again(self, job: Job, outcome: Again) -> None:
        delay_ms = max(0, outcome.delay_ms)
        message = to_outbox(next_run(job, outcome, at=self._now), due_in_ms=delay_ms)
        if waits_in_outbox(delay_ms):
            self._places.put_back(message, now=self._now)
        else:
            step = delay_ms or topology.NOW
            self._places.climb(replace(message, routing_key=job.routing_key(step)), now=self._now)

    def _later(self, by: int | timedelta) -> datetime:
        if milliseconds(by) < 0:
            raise ValueError("the clock runs forward only")
        return self._now + timedelta(milliseconds=milliseconds(by))

    # The ways out of a `JobQueue`.

    def _now_ms(self) -> int:
        return to_ms(self._now)

    async def _send(self, jobs: Sequence[Job]) -> None:
        await self._keep(jobs, None)  # due at once, and of its own name: no difference

    async def _keep(self, jobs: Sequence[Job], _tx: Connection | None) -> list[str | None]:
        return [job.id if self._places.append(to_outbox(job), now=self._now) else None for job in jobs]

    async def _recur(self, recurring: Recurring, _tx: Connection | None) -> str:
        self._timetable.add(recurring, now=self._now)
        return recurring.name


def _bury(job: Job, dead: Dead, *, routing_key: str, at: datetime) -> DeadJob:
    headers = dead_headers(job, dead, routing_key=routing_key, at=at)
    return DeadJob(
        id=UUID(job.id),
        type=job.type,
        subject=job.subject,
        reason=dead.reason,
        error=headers["x-dead-error"],
        attempt=job.attempt,
        priority=job.options.priority,
        failures=msgspec.json.decode(headers.pop("x-failures"), type=tuple[Failure, ...]),
        payload=job.payload,
        headers=headers,
        died_at=at,
    )
