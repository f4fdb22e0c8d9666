"""From a schedule that is due to its publications, through the scheduler as it is put together."""

import asyncio
import base64
import socket
from contextlib import asynccontextmanager

import pytest

from services.scheduler.service import serve
from shared.settings import load_settings
from tests.schedules import HOUR, add_schedule, cron_at, occurrences_of, read_now, sweep
from tests.waiting import until


@pytest.fixture
def settings(database_url, redis_url, amqp_url, tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    return load_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "AMQP_URL": amqp_url,
            "TOKEN_KEYS": f"test:{base64.b64encode(bytes(32)).decode()}",
            "CURSOR_SECRET": "cursor secret of the tests",
            "API_KEY_PEPPER": "pepper of the tests",
            "MEDIA_STORE": str(tmp_path / "media"),
            "SCHEDULER_INTERNAL_PORT": port,
        }
    )


@asynccontextmanager
async def scheduling(settings):
    """A scheduler."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(settings, stop))
        try:
            yield
        finally:
            stop.set()


async def test_what_is_due_is_distributed_though_its_job_was_lost_with_the_broker(pool, tenant, settings):
    """One comes due; of another the scheduler died after its sweep, and the broker lost what it was given."""
    now = await read_now(pool)
    fields = {"account_id": tenant.account_ids[0], "post_id": tenant.post_id, "made_until": now - 2 * HOUR}
    lost = await add_schedule(pool, tenant.user_id, cron=cron_at(now - HOUR), **fields)
    await sweep(pool)
    await pool.execute("DELETE FROM outbox")
    await pool.execute("UPDATE schedule_occurrences SET asked_at = now() - interval '2 minutes'")
    due = await add_schedule(pool, tenant.user_id, cron=cron_at(now - HOUR), **fields)

    async def states():
        rows = [row for schedule_id in (lost, due) for row in await occurrences_of(pool, schedule_id)]
        return [row["state"] for row in rows] == ["distributed"] * 2

    async with scheduling(settings):
        await until(states, what="both are distributed")

    assert await pool.fetchval("SELECT count(*) FROM publications") == 2
