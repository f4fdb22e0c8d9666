"""The job engine on a real broker: a consumer whose handler the test scripts, and a sender."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import aio_pika
import msgspec
import pytest

from services.scheduler.park_dead_jobs import park_dead_jobs
from services.scheduler.relay_outbox import listen, relay_once
from shared.database import create_pool
from shared.jobs import (
    CheckAccount,
    Consumer,
    Handler,
    JobType,
    Sender,
    get_job_options_by_type,
    keep_session,
    make_job,
    to_outbox,
)
from shared.jobs.topology import work_queue
from shared.lifecycle import repeat
from shared.outbox import append, drain_once
from tests.proxy import proxy_to
from tests.waiting import until

NOBODY = UUID("00000000-0000-7000-8000-000000000000")
QUEUE = work_queue("health")


class CheckAccountUpcast(CheckAccount, frozen=True, kw_only=True):
    """As it would be with a version before it."""

    UPCASTS: ClassVar = {0: lambda data: data}


class Engine:
    """A consumer of the health queue with a handler that the test scripts, and a sender."""

    def __init__(self, *, pool, database_url, amqp_url, sender):
        self.pool, self.database_url, self.amqp_url, self.sender = pool, database_url, amqp_url, sender
        self.seen = []
        self.script = {}
        self.arrived = asyncio.Event()
        self.missing = []

    async def handle(self, job, payload):
        self.seen.append((job, payload))
        self.arrived.set()
        action = self.script.get(job.subject)
        return await action(job) if action else None

    async def note_missing(self, queues):
        self.missing += queues

    def consumer(self, *, slots=8, drain_s=5.0, pool=None):
        return Consumer(
            service="health",
            urls=(self.amqp_url,),
            slots=slots,
            handlers={JobType.HEALTH_CHECK: Handler(payload=CheckAccountUpcast, run=self.handle)},
            sender=self.sender,
            pool=pool or self.pool,
            drain_s=drain_s,
            on_missing=self.note_missing,
        )

    async def add(self, subject, *, job_type=JobType.HEALTH_CHECK, options=None, priority=None, version=1):
        options = options or get_job_options_by_type(job_type)
        if priority is not None:
            options = replace(options, priority=priority)
        body = msgspec.json.encode(CheckAccount(user_id=NOBODY, account_id=NOBODY))
        job = make_job(job_type, body=body, version=version, subject=subject, options=options)
        async with self.pool.acquire() as connection, connection.transaction():
            await append(connection, [to_outbox(job)])
        return job

    @asynccontextmanager
    async def consuming(self, **settings):
        """A consumer at work for as long as the context lasts."""
        stop = asyncio.Event()
        consumer = self.consumer(**settings)
        task = asyncio.create_task(consumer.run(stop))
        try:
            await until(_ready(consumer), what="a consuming consumer")
            yield consumer
        finally:
            stop.set()
            await task

    @asynccontextmanager
    async def relaying(self):
        """The outbox is sent for as long as the context lasts, as the scheduler does it."""
        stop, wake = asyncio.Event(), asyncio.Event()
        relay = partial(relay_once, self.pool, self.sender, batch=500)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listen(self.database_url, wake=wake, stop=stop))
            tasks.create_task(repeat(relay, name="relay", every_s=1.0, stop=stop, wake=wake))
            try:
                yield
            finally:
                stop.set()

    async def relay(self, *, batch=500):
        return await drain_once(self.pool, self.sender.send_rows, batch=batch)

    async def subjects(self):
        return [job.subject for job, _ in self.seen]

    async def wait_for(self, count):
        async def enough():
            return len(self.seen) >= count

        await until(enough, what=f"{count} deliveries")

    async def broker(self):
        """A connection of the test's own."""
        return await aio_pika.connect(self.amqp_url)

    async def depth(self):
        """Messages that wait in the work queue."""
        async with await self.broker() as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(QUEUE, passive=True)
            return queue.declaration_result.message_count

    @asynccontextmanager
    async def parking(self):
        """Dead letters are parked for as long as the context lasts."""
        stop = asyncio.Event()
        park = partial(park_dead_jobs, pool=self.pool, stop=stop)
        task = asyncio.create_task(keep_session((self.amqp_url,), name="test-dead", stop=stop, use=park))
        try:
            yield
        finally:
            stop.set()
            await task

    async def parked(self, count):
        """The dead jobs, once there are so many."""

        async def rows():
            found = await self.pool.fetch("SELECT * FROM dead_jobs")
            return found if len(found) >= count else None

        async with self.parking():
            return await until(rows, what=f"{count} parked jobs")


@pytest.fixture
async def line(amqp_url):
    """The line between consumer and broker, which a test may cut."""
    parts = urlsplit(amqp_url)
    async with proxy_to(parts.hostname, parts.port) as proxy:
        yield proxy


@pytest.fixture
async def engine(database_url, amqp_url):
    """The engine on a virtual host and a database of its own."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(database_url, application_name="test"))
        sender = Sender((amqp_url,), name="test-sender")
        stack.push_async_callback(sender.close)
        yield Engine(pool=pool, database_url=database_url, amqp_url=amqp_url, sender=sender)


@pytest.fixture
async def running(engine, line):
    """The engine with its consumer at work."""
    stop = asyncio.Event()
    parts = urlsplit(engine.amqp_url)
    through_proxy = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{line.port}").geturl()
    consumer = replace(engine.consumer(), urls=(through_proxy,))
    task = asyncio.create_task(consumer.run(stop))
    await until(_ready(consumer), what="a consuming consumer")
    yield engine
    stop.set()
    await task


def _ready(consumer):
    async def ready():
        with suppress(Exception):
            await consumer.ready()
            return True
        return False

    return ready
