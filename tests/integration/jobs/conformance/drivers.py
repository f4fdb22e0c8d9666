"""Two ways to run the same jobs, for tests that hold one to the other: in memory, and on the real servers."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, ClassVar

from services.scheduler.park_dead_jobs import park_dead_jobs
from services.scheduler.run_recurring import fire_once
from shared.jobs import (
    DEAD_QUEUE,
    Consumer,
    DeadFilter,
    Handler,
    JobPriority,
    JobQueue,
    JobType,
    Payload,
    keep_session,
    list_dead,
    list_recurring,
)
from shared.jobs.testing import InlineJobs
from shared.jobs.topology import work_queue
from shared.lifecycle import repeat
from tests.waiting import until

QUEUE = work_queue("health")


class Errand(Payload, frozen=True, kw_only=True):
    """What the jobs of these tests carry."""

    name: str = ""
    VERSION: ClassVar[int] = 2
    UPCASTS: ClassVar = {1: lambda data: {"name": f"{data['title']}, once a title"}}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run as its handler saw it."""

    type: JobType
    name: str
    attempt: int
    priority: JobPriority


def always(error):
    async def fail(_job):
        raise error

    return fail


async def endless(_job):
    await asyncio.Event().wait()


def ran(name, *attempts, job_type=JobType.HEALTH_CHECK, priority=JobPriority.HIGH):
    """The runs of one job."""
    return [Run(type=job_type, name=name, attempt=attempt, priority=priority) for attempt in attempts]


class Driver(ABC):
    """Handlers that note each run, then do what the test says; and the queue that they work for."""

    def __init__(self):
        self.handlers = {}
        self.runs = []
        self.jobs = []
        self.began_ms = []
        self.dead = []

    @property
    @abstractmethod
    def queue(self) -> JobQueue:
        """Takes the jobs."""

    @abstractmethod
    def now_ms(self):
        """The time, in milliseconds since the epoch."""

    @abstractmethod
    def check_times(self, real_ms, said_ms):
        """That each time is as it is said."""

    def handle(self, do=None, *, job_type=JobType.HEALTH_CHECK, **settings):
        async def run(job, payload):
            self.began_ms.append(self.now_ms())
            self.jobs.append(job)
            self.runs.append(Run(type=job.type, name=payload.name, attempt=job.attempt, priority=job.options.priority))
            return await do(job) if do else None

        self.handlers[job_type] = Handler(payload=Errand, run=run, **settings)

    async def add(self, name, options=None, *, job_type=JobType.HEALTH_CHECK):
        return await self.queue.add(job_type, Errand(name=name), options)

    def check_waits(self, said_ms):
        """That from one run to the next it was as long as it is said."""
        self.check_times([later - earlier for earlier, later in pairwise(self.began_ms)], said_ms)


class Inline(Driver):
    """In memory, by its own clock: every time is exactly what the formula says."""

    @cached_property
    def queue(self):
        return InlineJobs(self.handlers)

    def now_ms(self):
        return round(self.queue.now.timestamp() * 1000)

    async def pass_time(self, ms):
        self.queue.pass_time(ms)

    async def add_kept(self, name, options=None):
        return await self.queue.add(JobType.HEALTH_CHECK, Errand(name=name), options, tx=_ANY)

    async def next_due_at(self, name):
        return self.queue.recurring[name]

    async def reach(self, *, runs=0, dead=0):
        await self.queue.run_until_idle()
        while len(self.runs) < runs or len(self.queue.dead) < dead:
            await self._go_on([waiting.due_at for waiting in self.queue.waiting] + [*self.queue.recurring.values()])

    async def finish(self, *, runs=0, dead=0):
        await self.reach(runs=runs, dead=dead)
        while self.queue.waiting:
            await self._go_on([waiting.due_at for waiting in self.queue.waiting])
        self.dead = self.queue.dead

    def check_times(self, real_ms, said_ms):
        assert real_ms == said_ms

    async def dues_ms(self, count):
        assert len(self.queue.waiting) == count
        return [round(waiting.due_at.timestamp() * 1000) for waiting in self.queue.waiting]

    async def _go_on(self, dues):
        assert dues, "nothing is left to run"
        await self.queue.advance(min(dues) - self.queue.now)


class Broker(Driver):
    """On RabbitMQ and PostgreSQL, with the scheduler's loops and a worker, by the machine's clock: never sooner."""

    def __init__(self, engine, stack):
        super().__init__()
        self._engine, self._stack = engine, stack
        self._started = False

    @cached_property
    def queue(self):
        return JobQueue(self._engine.sender, self._engine.pool)

    def now_ms(self):
        return time.time_ns() / 1_000_000

    async def pass_time(self, ms):
        await asyncio.sleep(ms / 1000)

    async def add_kept(self, name, options=None):
        async with self._engine.pool.acquire() as connection, connection.transaction():
            return await self.queue.add(JobType.HEALTH_CHECK, Errand(name=name), options, tx=connection)

    async def next_due_at(self, name):
        async with self._engine.pool.acquire() as connection:
            [state] = [state for state in await list_recurring(connection) if state.name == name]
        return state.next_due_at

    async def reach(self, *, runs=0, dead=0):
        if not self._started:
            await self._start()

        async def reached():
            return len(self.runs) >= runs and await self._count("dead_jobs") >= dead

        await until(reached, what=f"{runs} runs and {dead} dead jobs; there are {self.runs}")

    async def finish(self, *, runs=0, dead=0):
        await self.reach(runs=runs, dead=dead)
        while await self._rest():  # what had run and was not settled yet may wait now
            await self._work()
        async with self._engine.pool.acquire() as connection:
            self.dead = (await list_dead(connection, DeadFilter(), limit=100))[::-1]

    def check_times(self, real_ms, said_ms):
        assert len(real_ms) == len(said_ms)
        assert [real for real, said in zip(real_ms, said_ms, strict=True) if real < said] == []

    async def dues_ms(self, count):
        async def rows():
            dues = await self._engine.pool.fetch("SELECT extract(epoch FROM due_at) * 1000 AS due_ms FROM outbox")
            return [float(row["due_ms"]) for row in dues] if len(dues) == count else None

        return await until(rows, what=f"{count} jobs in the outbox")

    async def _start(self):
        self._started = True
        await self._stack.enter_async_context(self._engine.relaying())
        await until(self._nothing_due, what="due rows to be sent")
        stop = asyncio.Event()
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._stack.callback(stop.set)
        fire = partial(fire_once, self._engine.pool)
        park = partial(park_dead_jobs, pool=self._engine.pool, stop=stop)
        tasks.create_task(repeat(fire, name="recurring", every_s=0.05, stop=stop))
        tasks.create_task(keep_session((self._engine.amqp_url,), name="test-dead", stop=stop, use=park))
        await self._work()
        self._stack.push_async_callback(self._stop_worker)

    async def _work(self):
        worker = Consumer(
            service="health",
            urls=(self._engine.amqp_url,),
            slots=1,
            handlers=self.handlers,
            sender=self._engine.sender,
            pool=self._engine.pool,
            drain_s=5.0,
        )
        self._stop = asyncio.Event()
        self._worker = asyncio.create_task(worker.run(self._stop))
        await until(partial(_ready, worker), what="a consuming worker")

    async def _stop_worker(self):
        self._stop.set()
        await self._worker

    async def _rest(self):
        """Stop the worker once nothing waits; whether something waits nevertheless."""
        await until(self._nothing_waits, what="an empty outbox and empty queues")
        await self._stop_worker()
        return not await self._nothing_waits()

    async def _nothing_due(self):
        return await self._engine.pool.fetchval("SELECT count(*) = 0 FROM outbox WHERE due_at <= now()")

    async def _nothing_waits(self):
        async with await self._engine.broker() as connection:
            channel = await connection.channel()
            queues = [await channel.declare_queue(name, passive=True) for name in (QUEUE, DEAD_QUEUE)]
        waiting = sum(queue.declaration_result.message_count or 0 for queue in queues)
        return waiting + await self._count("outbox") == 0

    async def _count(self, table):
        return await self._engine.pool.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - named above


_ANY: Any = object()


async def _ready(consumer):
    with suppress(Exception):
        await consumer.ready()
        return True
    return False
