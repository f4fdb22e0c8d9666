"""From the outbox to the broker: what is sent, when, and in which order."""

import asyncio
from dataclasses import replace as replace_fields
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest

from services.scheduler.relay_outbox import relay_once
from shared.database import create_pool
from shared.jobs import (
    CheckAccount,
    JobPriority,
    JobType,
    NotSentError,
    Parcel,
    Sender,
    new_job,
    to_outbox,
)
from shared.jobs.topology import JOBS, work_queue
from shared.lifecycle import repeat
from shared.outbox import Outgoing, append, drain_once, put_back, sift_once
from tests.waiting import until

NOBODY = UUID("00000000-0000-7000-8000-000000000000")
QUEUE = work_queue("health")


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
            Parcel(exchange=JOBS, routing_key="nowhere", body=b"{}", headers={}, priority=JobPriority.LOW)
        )


async def test_without_a_broker_rows_stay_and_nothing_raises(database_url):
    """The relay tries again later; the API goes on."""
    async with await create_pool(database_url, application_name="test") as pool:
        sender = Sender(("amqp://127.0.0.1:9/",), name="test")
        row = Outgoing(
            id=1, type="t", exchange=JOBS, routing_key="k", priority=1, body=b"{}", headers={}, due_at=datetime.now(UTC)
        )

        assert await sender.send_rows([row]) == set()
        with pytest.raises(NotSentError, match="RabbitMQ cannot be reached"):
            await sender.depths()
        assert pool.get_size() > 0


async def test_a_queue_that_was_deleted_is_declared_by_the_next_send(engine):
    """The sender's own session learns of it from the returned message."""
    await engine.add("first")
    await engine.relay()
    async with await engine.broker() as connection:
        channel = await connection.channel()
        await channel.queue_delete(QUEUE)
    await engine.add("second")

    refused = await engine.relay()
    sent = await engine.relay()

    assert (refused.sent, sent.sent) == (0, 1)
    assert await engine.depth() == 1


async def test_a_job_that_comes_back_never_hides_a_newer_one_under_its_key(engine):
    """What was written later speaks for the same subject, so it stands for both."""
    old = await engine.add("key")
    await engine.relay()
    new = await engine.add("key")

    async with engine.pool.acquire() as connection, connection.transaction():
        written = await put_back(connection, [to_outbox(old, due_in_ms=60_000)])

    [row] = await engine.pool.fetch("SELECT headers ->> 'x-job-id' AS id, due_at <= now() AS due FROM outbox")
    assert written == 0
    assert tuple(row) == (new.id, True)


async def test_a_job_that_comes_back_takes_the_place_of_its_own_row(engine):
    """A relay that died between confirm and delete left the row: it must not be sent before its wait is over."""
    job = await engine.add("key")

    async with engine.pool.acquire() as connection, connection.transaction():
        await put_back(connection, [to_outbox(job, due_in_ms=60_000)])

    assert (await engine.relay()).sent == 0
    assert await engine.pool.fetchval("SELECT count(*) FROM outbox WHERE due_at > now()") == 1


async def test_a_job_that_comes_back_waits_for_a_relay_that_is_about_to_delete_its_row(engine):
    """Otherwise the new wait would vanish with the row that was sent."""
    job = await engine.add("key")
    claimed, release = asyncio.Event(), asyncio.Event()

    async def hold(rows):
        claimed.set()
        await release.wait()
        return {row.id for row in rows}

    async def come_back():
        async with engine.pool.acquire() as connection, connection.transaction():
            return await put_back(connection, [to_outbox(job, due_in_ms=60_000)])

    relaying = asyncio.create_task(drain_once(engine.pool, hold, batch=10))
    await claimed.wait()
    coming_back = asyncio.create_task(come_back())

    async def blocked():
        return await engine.pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    await until(blocked, what="the write that waits for the relay")
    release.set()

    assert (await relaying).sent == 1
    assert await coming_back == 1
    assert await engine.pool.fetchval("SELECT count(*) FROM outbox") == 1


async def test_without_notify_the_poll_still_sends_what_is_due(running):
    """Behind a pooler that hands out a connection per transaction nobody can listen; it only takes a little longer."""
    stop = asyncio.Event()
    relay = partial(relay_once, running.pool, running.sender, batch=10)
    polling = asyncio.create_task(repeat(relay, name="relay", every_s=0.05, stop=stop))

    await running.add("unheard")
    await running.wait_for(1)
    stop.set()
    await polling

    assert await running.subjects() == ["unheard"]


@pytest.mark.parametrize(
    "spoil",
    [{"exchange": "no.such.exchange"}, {"headers": {"x": "y" * 140_000}}, {"routing_key": "k" * 300}],
    ids=["unknown-exchange", "too-large", "not-encodable"],
)
async def test_a_row_that_spoils_its_batch_is_put_off_and_the_others_leave(engine, spoil):
    """One row nobody can send must not stop the timetable of everybody."""
    for number in range(20):
        await engine.add(f"good-{number}")
    bad = replace_fields(to_outbox(await engine.add("spoiler")), subject="bad", due_in_ms=-60_000, **spoil)
    async with engine.pool.acquire() as connection, connection.transaction():
        await append(connection, [bad])

    for _ in range(3):
        await relay_once(engine.pool, engine.sender, batch=500)

    left = await engine.pool.fetch("SELECT subject, due_at > now() AS put_off FROM outbox")
    assert [tuple(row) for row in left] == [("bad", True)]
    assert await engine.depth() == 21


async def test_an_outage_puts_no_row_off(engine):
    """Refused by a broker that is not there, everything stays due."""
    await engine.add("innocent")
    away = Sender(("amqp://127.0.0.1:9/",), name="away")

    assert await sift_once(engine.pool, away.send_rows, limit=10, within_s=10.0, put_off_s=60.0) == 0

    assert await engine.pool.fetchval("SELECT count(*) FROM outbox WHERE due_at <= now()") == 1


async def test_a_row_no_queue_takes_is_put_off_once_another_shows_that_the_broker_takes_messages(engine):
    """It would cost the relay its session at every sweep."""
    bad = replace_fields(to_outbox(await engine.add("good")), subject="bad", routing_key="nowhere", due_in_ms=-60_000)
    async with engine.pool.acquire() as connection, connection.transaction():
        await append(connection, [bad])

    await relay_once(engine.pool, engine.sender, batch=1)

    left = await engine.pool.fetch("SELECT subject, due_at > now() AS put_off FROM outbox")
    assert [tuple(row) for row in left] == [("bad", True)]
