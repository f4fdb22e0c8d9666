"""A unique key and the relay at the same moment: what stands for a job really runs after the caller's commit."""

import asyncio
from uuid import UUID

import pytest

from shared.jobs import CheckAccount, JobQueue, JobType, create_normal_job_options
from shared.outbox import drain_once
from tests.waiting import until

NOBODY = UUID("00000000-0000-7000-8000-000000000000")
PAYLOAD = CheckAccount(user_id=NOBODY, account_id=NOBODY)
WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
ONLY_ME = create_normal_job_options(unique_key="only-me")


@pytest.fixture
def queue(engine):
    return JobQueue(engine.sender, engine.pool)


async def add(engine, queue):
    async with engine.pool.acquire() as connection, connection.transaction():
        return await queue.add(JobType.HEALTH_CHECK, PAYLOAD, ONLY_ME, tx=connection)


async def test_a_job_that_is_being_sent_does_not_swallow_the_next_of_its_key(engine, queue):
    """Its handler may have begun, and may not see what the caller is about to commit."""
    await add(engine, queue)
    adding = []

    async def send(rows):
        adding.append(asyncio.create_task(add(engine, queue)))

        async def waits_or_has_answered():
            return adding[0].done() or await engine.pool.fetchval(WAITERS) > 0

        await until(waits_or_has_answered, what="the second add at the relay's lock")
        return {row.id for row in rows}

    await drain_once(engine.pool, send, batch=10)
    second = await adding[0]

    assert second is not None
    assert await engine.pool.fetchval("SELECT headers ->> 'x-job-id' FROM outbox") == second


async def test_a_waiting_job_that_stands_for_another_is_not_sent_before_the_other_s_caller_commits(engine, queue):
    """So it sees the data of both."""
    await add(engine, queue)

    async with engine.pool.acquire() as connection, connection.transaction():
        second = await queue.add(JobType.HEALTH_CHECK, PAYLOAD, ONLY_ME, tx=connection)
        before = await engine.relay()
    after = await engine.relay()

    assert second is None
    assert (before.sent, after.sent) == (0, 1)
