"""The job engine on a real broker: a consumer whose handler the test scripts, and a sender."""

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

import aio_pika
import pytest

from services.scheduler.park_dead_jobs import park_dead_jobs
from shared.database import create_pool
from shared.jobs import (
    CheckAccount,
    Consumer,
    Handler,
    JobType,
    Sender,
    keep_session,
    new_job,
    to_outbox,
)
from shared.jobs.topology import work_queue
from shared.outbox import append, drain_once
from tests.proxy import proxy_to
from tests.waiting import until

NOBODY = UUID("00000000-0000-7000-8000-000000000000")
QUEUE = work_queue("health")


class Engine:
    """A consumer of the health queue with a handler that the test scripts, and a sender."""

    def __init__(self, *, pool, amqp_url, sender):
        self.pool, self.amqp_url, self.sender = pool, amqp_url, sender
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

    def consumer(self, *, slots=8, drain_s=5.0):
        return Consumer(
            service="health",
            urls=(self.amqp_url,),
            slots=slots,
            handlers={JobType.HEALTH_CHECK: Handler(payload=CheckAccount, run=self.handle)},
            sender=self.sender,
            pool=self.pool,
            drain_s=drain_s,
            on_missing=self.note_missing,
        )

    async def add(self, subject, *, job_type=JobType.HEALTH_CHECK, options=None):
        payload = CheckAccount(user_id=NOBODY, account_id=NOBODY)
        job = new_job(job_type, payload, subject=subject, options=options)
        async with self.pool.acquire() as connection, connection.transaction():
            await append(connection, [to_outbox(job)])
        return job

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

    async def parked(self, count):
        """The dead jobs, once there are so many."""
        stop = asyncio.Event()

        async def park(session):
            await park_dead_jobs(session, pool=self.pool, stop=stop)

        async def rows():
            found = await self.pool.fetch("SELECT * FROM dead_jobs")
            return found if len(found) >= count else None

        task = asyncio.create_task(keep_session((self.amqp_url,), name="test-dead", stop=stop, use=park))
        try:
            return await until(rows, what=f"{count} parked jobs")
        finally:
            stop.set()
            await task


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
        yield Engine(pool=pool, amqp_url=amqp_url, sender=sender)


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
