"""What becomes of a delivery: done, again, by the ladder or by the outbox, or parked."""

import asyncio
from dataclasses import replace
from uuid import UUID

from shared.database import create_pool
from shared.jobs import (
    Again,
    JobType,
    Sender,
    Transient,
    create_critical_job_options,
    get_job_options_by_type,
)
from tests.waiting import until

NOBODY = UUID("00000000-0000-7000-8000-000000000000")


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

    assert await engine.depth() == 0


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


async def test_a_retry_without_the_database_takes_the_ladder_instead_of_being_lost(engine):
    """A wait that is a little too long is better than none."""
    away = await create_pool(engine.database_url, application_name="away")
    await away.close()
    failed = asyncio.Event()

    async def fail_once(job):
        if job.attempt == 1:
            failed.set()
            raise Transient("not yet", retry_after_s=0.3)

    engine.script["odd"] = fail_once
    async with engine.consuming(pool=away):
        await engine.add("odd")
        await engine.relay()
        await engine.wait_for(2)

    assert [job.attempt for job, _ in engine.seen] == [1, 2]
    assert await engine.pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_priority_headers_and_key_survive_the_ladder(running):
    """RabbitMQ moves the message; what it needs to find its way and its turn comes along."""

    async def fail_once(job):
        if job.attempt == 1:
            raise Transient("not yet", retry_after_s=2)

    running.script["kept"] = fail_once
    options = create_critical_job_options(attempts=9, cap=90_000, jitter=0.0)
    job = await running.add("kept", options=options)
    await running.relay()
    await running.wait_for(2)

    [(first, _), (second, _)] = running.seen
    ours = {"x-due", "x-attempt", "x-failures"}
    assert second.options == first.options == options
    assert (second.id, second.subject) == (job.id, "kept")
    assert {k: v for k, v in second.headers.items() if k not in ours} == {
        k: v for k, v in first.headers.items() if k not in ours
    }
    assert "x-death" not in second.headers


async def test_a_canceled_call_inside_a_handler_is_a_failure_of_the_job(running):
    """It is no stop of the process, and must not come back for ever at no cost."""

    async def fail(_job):
        raise asyncio.CancelledError

    running.script["canceled"] = fail
    options = get_job_options_by_type(JobType.HEALTH_CHECK)
    await running.add("canceled", options=replace(options, attempts=1))
    await running.relay()

    [parked] = await running.parked(1)
    assert (parked["reason"], parked["error"]) == ("exhausted", "a call inside it was canceled")


async def test_a_job_that_fails_after_its_line_was_cut_is_there_once(running, line):
    """The broker brings it again by itself; a retry beside that would double it at every cut."""
    entered, cut = asyncio.Event(), asyncio.Event()

    async def fail_when_cut(job):
        if not entered.is_set():
            entered.set()
            await cut.wait()
            raise Transient("not yet", retry_after_s=0)
        if job.attempt == 1:
            raise Transient("again", retry_after_s=0)

    running.script["once"] = fail_when_cut
    await running.add("once")
    await running.relay()
    await entered.wait()
    line.cut()
    await running.wait_for(2)
    cut.set()
    await running.wait_for(3)
    await running.add("after")
    await running.relay()
    await running.wait_for(4)

    assert [(job.subject, job.attempt) for job, _ in running.seen] == [
        ("once", 1),
        ("once", 1),
        ("once", 2),
        ("after", 1),
    ]
