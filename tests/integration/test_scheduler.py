"""The scheduler's sweeps on a real database."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.scheduler.relay_outbox import listen
from services.scheduler.run_recurring import ensure_cleanup, fire_once
from shared.database import create_pool
from shared.jobs import CleanUp, JobType, RepeatRule, new_job, to_outbox
from shared.outbox import append
from tests.recurring import add, firings, put_due, recurring


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


def counted(name, **labels):
    return REGISTRY.get_sample_value(f"instadistro_recurring_{name}_total", labels) or 0


async def test_what_is_due_fires_and_the_wait_for_the_next_is_known(pool):
    """The loop sleeps as long as it may."""
    nothing = await fire_once(pool)
    await add(pool, recurring("due", first_in_ms=0), recurring("later", first_in_ms=600_000))

    wait_s = await fire_once(pool)

    assert nothing is None
    assert list(await firings(pool)) == ["due"]
    assert wait_s is not None
    assert 590 < wait_s <= 600


async def test_a_full_batch_is_followed_by_the_next_at_once(pool):
    """A hundred thousand accounts do not wait for a second between batches."""
    await add(pool, *(recurring(f"job-{number}", first_in_ms=0) for number in range(501)))

    waits = [await fire_once(pool) for _ in range(2)]

    assert waits[0] == 0
    assert waits[1] is not None
    assert waits[1] > 1
    assert len(await firings(pool)) == 501


async def test_what_fires_what_was_missed_and_what_is_broken_is_counted(pool):
    """An operator sees each by its type."""
    labels = {"type": "cleanup:old_jobs"}
    before = [counted("fired", **labels), counted("missed", policy="once", **labels), counted("broken", **labels)]
    cron = RepeatRule(cron="0 9 * * *", zone="UTC")
    await add(pool, recurring("due"), recurring("missed"), recurring("broken", rule=cron))
    await put_due(pool, ago=timedelta(seconds=1))
    await put_due(pool, ago=timedelta(hours=5), name="missed")
    await pool.execute("UPDATE recurring_jobs SET zone = 'Europe/Atlantis' WHERE name = 'broken'")

    await fire_once(pool)

    after = [counted("fired", **labels), counted("missed", policy="once", **labels), counted("broken", **labels)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1, 1]


async def test_the_cleanup_recurs_once_however_often_it_is_ensured(pool):
    """Every start of a scheduler makes sure of it; the first one begins at once."""
    for every_s in (3600.0, 60.0):
        await ensure_cleanup(pool, every_s=every_s)
    await fire_once(pool)

    [row] = await pool.fetch("SELECT name, type, every_ms FROM recurring_jobs")
    assert tuple(row) == ("cleanup:old_jobs", "cleanup:old_jobs", 60_000)
    assert list(await firings(pool)) == ["cleanup:old_jobs"]


async def test_a_message_due_soon_wakes_the_relay_and_a_later_one_does_not(pool, database_url):
    """NOTIFY rings for rows due within five seconds only."""
    wake, stop = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(listen(database_url, wake=wake, stop=stop))
    job = new_job(JobType.CLEANUP_OLD_JOBS, CleanUp(), subject="soon")

    async with asyncio.timeout(20):
        # The listener may not be there yet: append until it hears.
        while not wake.is_set():
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("DELETE FROM outbox")
                await append(connection, [to_outbox(job)])
            try:
                await asyncio.wait_for(wake.wait(), 0.1)
            except TimeoutError:
                continue
    wake.clear()
    later = new_job(JobType.CLEANUP_OLD_JOBS, CleanUp(), subject="later")
    due_at = await pool.fetchval("SELECT now() + interval '1 hour'")
    await append(pool, [to_outbox(later, due_at=due_at)])
    # A second bell after the silent one: had the silent one rung, it would have rung before.
    await pool.execute("SELECT pg_notify('instadistro_outbox', 'probe')")
    await asyncio.wait_for(wake.wait(), 20)
    stop.set()
    await task
