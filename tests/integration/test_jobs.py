"""The job engine on a real broker: settlement, the ladder, dead letters, and a session lost in every way."""

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import aio_pika
import pytest

from services.scheduler.park_dead_jobs import park_dead_jobs
from shared.database import create_pool
from shared.jobs import (
    Again,
    CheckAccount,
    Consumer,
    Handler,
    JobPriority,
    JobType,
    NotSentError,
    Permanent,
    Sender,
    TopologyError,
    Transient,
    declare_topology,
    get_job_options_by_type,
    keep_session,
    new_job,
    to_outbox,
)
from shared.jobs.topology import JOBS, work_queue
from shared.outbox import Outgoing, append, drain_once
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


async def broker(engine):
    return await aio_pika.connect(engine.amqp_url)


async def test_a_job_travels_from_the_outbox_to_its_handler(running):
    """What commits with the data arrives, once, with its payload."""
    await running.add("one")

    drained = await running.relay()
    await running.wait_for(1)

    [(job, payload)] = running.seen
    assert (drained.sent, drained.refused, drained.next_due_s) == (1, 0, None)
    assert (job.subject, job.attempt, job.options.priority) == ("one", 1, JobPriority.HIGH)
    assert payload.account_id == NOBODY
    assert await running.pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_row_is_not_sent_before_it_is_due(running):
    """The outbox is the timetable."""
    job = new_job(JobType.HEALTH_CHECK, CheckAccount(user_id=NOBODY, account_id=NOBODY), subject="later")
    due_at = datetime(2100, 1, 1, tzinfo=UTC)
    await append(running.pool, [to_outbox(job, due_at=due_at)])

    drained = await running.relay()

    assert drained.sent == 0
    assert drained.next_due_s > 0


async def test_urgent_rows_leave_first(engine):
    """A critical row never waits behind others that came before it."""
    for number in range(5):
        await engine.add(f"low-{number}", job_type=JobType.HEALTH_MONITOR)
    await engine.add("urgent", job_type=JobType.POST_PUBLISH)
    sent: list[str] = []

    async def send(rows):
        sent.extend(row.headers["x-subject"] for row in rows)
        return {row.id for row in rows}

    await drain_once(engine.pool, send, batch=2)

    assert sent == ["urgent", "low-0"]


async def test_two_relays_never_send_the_same_row(engine):
    """Rows that one relay holds are passed over by the other."""
    for number in range(20):
        await engine.add(f"row-{number}")
    held, release = asyncio.Event(), asyncio.Event()
    first: list[int] = []
    second: list[int] = []

    async def slow(rows):
        first.extend(row.id for row in rows)
        held.set()
        await release.wait()
        return {row.id for row in rows}

    async def fast(rows):
        second.extend(row.id for row in rows)
        return {row.id for row in rows}

    relaying = asyncio.create_task(drain_once(engine.pool, slow, batch=10))
    await held.wait()
    await drain_once(engine.pool, fast, batch=500)
    release.set()
    await relaying

    assert (len(first), len(second)) == (10, 10)
    assert not set(first) & set(second)


async def test_unconfirmed_rows_stay(engine):
    """A row leaves the outbox only when the broker has it."""
    await engine.add("kept")

    async def refuse(_rows):
        return set()

    drained = await drain_once(engine.pool, refuse, batch=10)

    assert (drained.sent, drained.refused) == (0, 1)
    assert await engine.pool.fetchval("SELECT count(*) FROM outbox") == 1


async def test_a_message_no_queue_takes_is_not_sent(engine):
    """The broker confirms what it cannot route; we do not."""
    with pytest.raises(NotSentError, match="nowhere"):
        await engine.sender.publish(
            exchange=JOBS, routing_key="nowhere", body=b"{}", headers={}, priority=JobPriority.LOW
        )


async def test_a_transient_failure_comes_back_by_the_ladder_with_everything_kept(running):
    """The second run has the next attempt number, the same payload, key and priority, after the step's wait."""
    loop = asyncio.get_running_loop()
    times = []

    async def fail_once(job):
        times.append(loop.time())
        if job.attempt == 1:
            raise Transient("not yet", retry_after_s=2)

    running.script["flaky"] = fail_once
    await running.add("flaky")

    await running.relay()
    await running.wait_for(2)

    (first, first_payload), (second, second_payload) = running.seen
    assert (first.attempt, second.attempt) == (1, 2)
    assert (first.id, first.options) == (second.id, second.options)
    assert first_payload == second_payload
    assert times[1] - times[0] >= 1.9


async def test_a_wait_costs_no_attempt(running):
    """`Again` is no failure."""
    waited: list[int] = []

    async def wait_once(_job):
        if not waited:
            waited.append(1)
            return Again(delay_ms=2_000)
        return None

    running.script["patient"] = wait_once
    await running.add("patient")

    await running.relay()
    await running.wait_for(2)

    assert [job.attempt for job, _ in running.seen] == [1, 1]


async def test_a_wait_longer_than_the_ladder_goes_to_the_outbox(running):
    """There it can be listed and withdrawn."""

    async def wait_an_hour(_job):
        return Again(delay_ms=3_600_000)

    running.script["long"] = wait_an_hour
    await running.add("long")

    await running.relay()

    async def waiting():
        return await running.pool.fetchval("SELECT extract(epoch FROM due_at - now())::float8 FROM outbox")

    due_in_s = await until(waiting, what="the outbox row")
    assert 3_590 < due_in_s <= 3_600


@pytest.mark.parametrize(
    ("failure", "attempts", "reason"),
    [
        (Permanent("never_possible"), 5, "never_possible"),
        (Transient("still not"), 1, "exhausted"),
        (ZeroDivisionError("a bug"), 1, "exhausted"),
    ],
    ids=["permanent", "exhausted", "bug"],
)
async def test_a_job_that_cannot_succeed_is_parked_with_reason_and_error(running, failure, attempts, reason):
    """It leaves the queue and stays readable in the database."""

    async def fail(_job):
        raise failure

    running.script["doomed"] = fail
    options = get_job_options_by_type(JobType.HEALTH_CHECK)
    await running.add("doomed", options=replace(options, attempts=attempts))
    await running.relay()

    [parked] = await _parked(running, 1)
    assert (parked["type"], parked["subject"], parked["reason"]) == ("health:check", "doomed", reason)
    assert str(failure) in parked["error"]
    assert json.loads(parked["payload"])["account_id"] == str(NOBODY)


async def test_poison_is_parked_and_its_neighbours_are_served(running):
    """Not JSON, an unknown type, an unknown version, a wrong shape: the queue flows."""
    good = new_job(JobType.HEALTH_CHECK, CheckAccount(user_id=NOBODY, account_id=NOBODY), subject="x")
    headers = {**good.headers, "x-attempt": "1"}
    poisons = [
        ("now.health.health:check", b"not json", headers),
        ("now.health.unheard:of", good.payload, headers),
        ("now.health.health:check", good.payload, {**headers, "x-version": "99"}),
        ("now.health.health:check", b'{"user_id": 5}', headers),
        ("now.health.health:check", good.payload, {}),
    ]
    for key, body, own in poisons:
        await running.sender.publish(exchange=JOBS, routing_key=key, body=body, headers=own, priority=JobPriority.HIGH)
    await running.add("neighbour")
    await running.relay()

    parked = await _parked(running, len(poisons))
    await running.wait_for(1)

    assert sorted(row["reason"] for row in parked) == [
        "undecodable",
        "undecodable",
        "unknown_version",
        "unreadable",
        "unreadable",
    ]
    assert await running.subjects() == ["neighbour"]


async def test_a_deleted_queue_is_made_again_and_reported(running):
    """The broker cancels the consumer; work goes on without a restart by hand."""
    async with await broker(running) as connection:
        channel = await connection.channel()
        await channel.queue_delete(QUEUE)

    async def reported():
        return QUEUE in running.missing

    running.missing.clear()
    await until(reported, what="the report of the missing queue")
    await running.add("after")
    await running.relay()
    await running.wait_for(1)

    assert await running.subjects() == ["after"]


async def test_a_cut_connection_is_made_again_and_interrupts_no_handler(running, line):
    """A job whose acknowledgement is lost comes twice, never not at all; the first run goes on to its end."""
    cut, entered, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(_job):
        entered.set()
        await cut.wait()
        ended.set()

    running.script["held"] = hold
    await running.add("held")
    await running.relay()
    await entered.wait()

    line.cut()
    running.script.clear()
    await running.wait_for(2)
    cut.set()
    await asyncio.wait_for(ended.wait(), 10)

    assert await running.subjects() == ["held", "held"]


async def test_a_delivery_that_cannot_be_settled_comes_again_and_keeps_no_slot(engine):
    """The sender is away while a retry should be published; the consumer goes on by itself when it is back."""
    stop, entered = asyncio.Event(), asyncio.Event()
    away = Sender(("amqp://127.0.0.1:9/",), name="away")
    consumer = replace(engine.consumer(slots=1), sender=away)

    async def fail(_job):
        entered.set()
        raise Transient("not yet")

    engine.script["stuck"] = fail
    task = asyncio.create_task(consumer.run(stop))
    await engine.add("stuck")
    await engine.relay()
    await entered.wait()
    engine.script.clear()
    await engine.add("next")
    await engine.relay()

    async def both():
        return {"stuck", "next"} <= set(await engine.subjects()) and len(engine.seen) >= 3

    await until(both, what="the same job again, and the next one")
    stop.set()
    await task

    assert await _depth(engine) == 0


async def test_our_own_servers_bad_minute_costs_no_attempt(running):
    """A database that is away is no failure of the job."""
    raised: list[int] = []

    async def away_once(_job):
        if not raised:
            raised.append(1)
            raise ConnectionRefusedError("the database")

    running.script["innocent"] = away_once
    await running.add("innocent")

    await running.relay()
    await running.wait_for(2)

    assert [job.attempt for job, _ in running.seen] == [1, 1]


async def test_a_queue_that_was_deleted_is_declared_by_the_next_send(engine):
    """The sender's own session learns of it from the returned message."""
    await engine.add("first")
    await engine.relay()
    async with await broker(engine) as connection:
        channel = await connection.channel()
        await channel.queue_delete(QUEUE)
    await engine.add("second")

    refused = await engine.relay()
    sent = await engine.relay()

    assert (refused.sent, sent.sent) == (0, 1)
    assert await _depth(engine) == 1


async def test_a_stop_lets_a_running_handler_finish_and_takes_nothing_new(engine):
    """Drain: what runs ends and is acknowledged, what waits stays in the queue."""
    stop, entered, finish = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_job):
        entered.set()
        await finish.wait()

    engine.script["running"] = slow
    consumer = engine.consumer(slots=1)
    task = asyncio.create_task(consumer.run(stop))
    await engine.add("running")
    await engine.relay()
    await entered.wait()
    await engine.add("waiting")
    await engine.relay()

    stop.set()
    finish.set()
    await task

    assert await engine.subjects() == ["running"]
    assert await _depth(engine) == 1


async def test_a_handler_that_outlasts_the_drain_is_canceled_and_its_job_comes_again(engine):
    """Nothing is lost at the deadline."""
    stop, entered = asyncio.Event(), asyncio.Event()

    async def endless(_job):
        entered.set()
        await asyncio.Event().wait()

    engine.script["endless"] = endless
    task = asyncio.create_task(engine.consumer(drain_s=0.05).run(stop))
    await engine.add("endless")
    await engine.relay()
    await entered.wait()

    stop.set()
    await task

    assert await _depth(engine) == 1


async def test_a_changed_queue_is_one_clear_error(engine):
    """No reconnect loop over a difference that only a person can settle."""
    async with await broker(engine) as connection:
        channel = await connection.channel()
        await channel.declare_queue(QUEUE, durable=True, arguments={"x-max-priority": 9})

        with pytest.raises(TopologyError, match="x-max-priority"):
            await declare_topology(connection)


async def test_without_a_broker_rows_stay_and_nothing_raises(database_url):
    """The relay tries again later; the API goes on."""
    async with await create_pool(database_url, application_name="test") as pool:
        sender = Sender(("amqp://127.0.0.1:9/",), name="test")
        row = Outgoing(id=1, type="t", exchange=JOBS, routing_key="k", priority=1, body=b"{}", headers={})

        assert await sender.send_rows([row]) == set()
        with pytest.raises(NotSentError, match="RabbitMQ cannot be reached"):
            await sender.depths()
        assert pool.get_size() > 0


async def _parked(engine, count):
    stop = asyncio.Event()

    async def park(session):
        await park_dead_jobs(session, pool=engine.pool, stop=stop)

    async def rows():
        found = await engine.pool.fetch("SELECT * FROM dead_jobs")
        return found if len(found) >= count else None

    task = asyncio.create_task(keep_session((engine.amqp_url,), name="test-dead", stop=stop, use=park))
    try:
        return await until(rows, what=f"{count} parked jobs")
    finally:
        stop.set()
        await task


async def _depth(engine):
    async with await broker(engine) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(QUEUE, passive=True)
        return queue.declaration_result.message_count
