"""Adding jobs: with the caller's transaction, straight to the broker, delayed, unique, repeated."""

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from shared.jobs import (
    CheckAccount,
    CleanUp,
    JobPriority,
    JobQueue,
    JobType,
    NotSentError,
    Sender,
    create_critical_job_options,
    create_normal_job_options,
)
from tests.waiting import until

NOBODY = UUID("00000000-0000-7000-8000-000000000000")
PAYLOAD = CheckAccount(user_id=NOBODY, account_id=NOBODY)
SELDOM = create_normal_job_options(unique_key="nightly", repeat={"cron": "0 3 * * *", "zone": "Europe/Berlin"})


@pytest.fixture
def queue(engine):
    """The door for new jobs, on the engine's broker and database."""
    return JobQueue(engine.sender, engine.pool)


async def outbox(engine):
    return await engine.pool.fetch("SELECT type, subject, priority, due_at - created_at AS wait FROM outbox")


async def test_a_job_added_without_a_transaction_is_at_the_broker_when_the_call_returns(engine, queue):
    """Confirmed, with the priority asked for, and not in the outbox."""
    job_id = await queue.add(JobType.HEALTH_CHECK, PAYLOAD, create_critical_job_options())

    assert UUID(job_id)
    assert await engine.depth() == 1
    assert await outbox(engine) == []


async def test_a_job_added_straight_runs_with_its_payload_and_options(running):
    """What is asked for is what the handler sees."""
    queue = JobQueue(running.sender, running.pool)
    options = create_critical_job_options(attempts=7, backoff=30, cap=90, jitter=0.5)

    job_id = await queue.add(JobType.HEALTH_CHECK, PAYLOAD, options)
    await running.wait_for(1)

    [(job, payload)] = running.seen
    assert (job.id, job.subject, job.attempt) == (job_id, job_id, 1)
    assert payload.account_id == PAYLOAD.account_id
    assert job.options == options
    assert job.due_ms is not None


async def test_a_job_of_a_transaction_that_fails_never_was(engine, queue):
    """It commits or vanishes together with the caller's data."""

    async def fail():
        async with engine.pool.acquire() as connection, connection.transaction():
            await queue.add(JobType.HEALTH_CHECK, PAYLOAD, tx=connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await outbox(engine) == []
    assert (await engine.relay()).sent == 0


async def test_many_jobs_are_added_in_one_call_either_way(engine, queue):
    """One statement with a transaction, one window of confirms without."""
    async with engine.pool.acquire() as connection, connection.transaction():
        kept = await queue.add_many(JobType.HEALTH_CHECK, [PAYLOAD] * 300, tx=connection)
    sent = await queue.add_many(JobType.HEALTH_CHECK, [PAYLOAD] * 300)

    assert len({*kept, *sent}) == 600
    assert await engine.depth() == 300
    assert len(await outbox(engine)) == 300


async def test_a_delayed_job_waits_in_the_database_with_or_without_a_transaction(engine, queue):
    """There it can be listed and withdrawn; both ways mean the same time."""
    options = create_normal_job_options(delay=timedelta(hours=2))

    await queue.add(JobType.HEALTH_CHECK, PAYLOAD, options)
    async with engine.pool.acquire() as connection, connection.transaction():
        await queue.add(JobType.HEALTH_CHECK, PAYLOAD, options, tx=connection)

    rows = await outbox(engine)
    assert [row["wait"] for row in rows] == [timedelta(hours=2)] * 2
    assert (await engine.relay()).sent == 0


async def test_a_unique_key_adds_once_while_its_job_waits_and_again_when_it_was_sent(engine, queue):
    """The outbox enforces it."""
    options = create_normal_job_options(unique_key="only-me")

    async def add():
        async with engine.pool.acquire() as connection, connection.transaction():
            return await queue.add(JobType.HEALTH_CHECK, PAYLOAD, options, tx=connection)

    first, second = await add(), await add()
    await engine.relay()
    third = await add()

    assert first is not None
    assert second is None
    assert third not in {None, first}


async def test_a_unique_key_without_a_transaction_is_refused_with_the_reason(queue):
    """The broker cannot enforce it, and half a promise is worse than none."""
    with pytest.raises(ValueError, match="unique_key needs tx"):
        await queue.add(JobType.HEALTH_CHECK, PAYLOAD, create_normal_job_options(unique_key="x"))


async def test_a_unique_key_for_several_jobs_is_refused(engine, queue):
    """All but one would be lost without a word."""
    options = create_normal_job_options(unique_key="x")

    with pytest.raises(ValueError, match="names one job"):
        async with engine.pool.acquire() as connection, connection.transaction():
            await queue.add_many(JobType.HEALTH_CHECK, [PAYLOAD] * 2, options, tx=connection)


async def test_a_repeated_job_is_a_row_under_its_name(engine, queue):
    """With or without a transaction; adding it again changes the one there is."""
    name = await queue.add(JobType.CLEANUP_OLD_JOBS, CleanUp(), SELDOM)
    async with engine.pool.acquire() as connection, connection.transaction():
        await queue.add(JobType.CLEANUP_OLD_JOBS, CleanUp(), SELDOM, tx=connection)

    [row] = await engine.pool.fetch("SELECT name, type, cron, zone FROM recurring_jobs")
    assert name == "nightly"
    assert tuple(row) == ("nightly", "cleanup:old_jobs", "0 3 * * *", "Europe/Berlin")


async def test_a_broker_that_is_away_is_told_with_what_was_not_sent(engine):
    """Nothing is pretended: the caller knows which to add again."""
    queue = JobQueue(Sender(("amqp://127.0.0.1:9/",), name="away"), engine.pool)

    with pytest.raises(NotSentError, match="RabbitMQ cannot be reached") as raised:
        await queue.add_many(JobType.HEALTH_CHECK, [PAYLOAD] * 3)

    assert raised.value.unsent == (0, 1, 2)


async def test_an_older_payload_is_upcast_and_one_nobody_can_read_is_parked(running):
    """Jobs of the version before wait in queues while a new one is deployed."""
    await running.add("old", version=0)
    await running.add("older", version=-1)
    await running.add("newer", version=2)
    await running.relay()

    parked = await running.parked(2)
    await running.wait_for(1)

    assert sorted((row["subject"], row["reason"]) for row in parked) == [
        ("newer", "unknown_version"),
        ("older", "unknown_version"),
    ]
    [(job, payload)] = running.seen
    assert (job.subject, payload.account_id) == ("old", NOBODY)


async def test_the_most_urgent_waiting_job_runs_first(engine):
    """Whatever was added before it."""
    queue = JobQueue(engine.sender, engine.pool)
    for priority in reversed(JobPriority):
        await engine.add(priority.name, priority=priority)
    await engine.relay()
    await queue.add(JobType.HEALTH_CHECK, PAYLOAD, create_critical_job_options())

    async with engine.consuming(slots=1):
        await engine.wait_for(6)

    assert [job.options.priority for job, _ in engine.seen] == [1, 1, 2, 3, 4, 5]


async def test_a_returned_job_of_a_batch_names_its_place_and_its_neighbours_are_sent(engine, queue):
    """One that no queue takes does not hide behind those that were confirmed."""
    await engine.sender.ready()
    async with await engine.broker() as connection:
        channel = await connection.channel()
        await channel.queue_delete("jobs.health.v1")

    with pytest.raises(NotSentError) as raised:
        await queue.add(JobType.HEALTH_CHECK, PAYLOAD)
    await queue.add(JobType.HEALTH_CHECK, PAYLOAD)

    async def one():
        return await engine.depth() == 1

    assert raised.value.unsent == (0,)
    await until(one, what="the job in the queue that was declared anew")


async def test_lost_connections_do_not_narrow_the_window_of_confirms(engine, line):
    """However often the line is cut in the midst of many publishes, the next one goes through."""
    parts = urlsplit(engine.amqp_url)
    through_proxy = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{line.port}").geturl()
    sender = Sender((through_proxy,), name="cut-often")
    queue = JobQueue(sender, engine.pool)

    for _ in range(12):
        adding = [asyncio.create_task(queue.add_many(JobType.HEALTH_CHECK, [PAYLOAD] * 300)) for _ in range(3)]
        await asyncio.wait(adding, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
        line.cut()
        answers = await asyncio.gather(*adding, return_exceptions=True)
        assert [answer for answer in answers if not isinstance(answer, list | NotSentError)] == []
    confirmed = len(await queue.add_many(JobType.HEALTH_CHECK, [PAYLOAD] * 600))
    await sender.close()

    assert confirmed == 600
