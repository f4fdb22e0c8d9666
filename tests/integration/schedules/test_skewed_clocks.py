"""Schedulers whose own clocks are hours away from the database's."""

import asyncio
import os
import sys
from pathlib import Path

from tests.schedules import DAY, HOUR, add_schedule, cron_at, jobs, occurrences_of, read_now

CHECKOUT = Path(__file__).parents[3]
# Python's clocks, all of them, before anything else is imported.
SKEW = """
import datetime, os, time

hours = int(os.environ["SKEW_HOURS"])
real, real_ns = time.time, time.time_ns
time.time = lambda: real() + hours * 3600
time.time_ns = lambda: real_ns() + hours * 3600 * 10**9

class Skewed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.timezone.utc).replace(tzinfo=None)

datetime.datetime = Skewed
"""
SWEEPS = """
import asyncio, sys
from datetime import datetime, UTC

from services.scheduler.make_occurrences import make_occurrences_once
from shared.database import create_pool

async def main(url):
    async with await create_pool(url, application_name="skewed") as pool:
        for _ in range(10):
            await make_occurrences_once(pool)
    print(datetime.now(UTC).isoformat())

asyncio.run(main(sys.argv[1]))
"""


async def scheduler(database_url, tmp_path, *, skew_hours):
    """Ten sweeps in a process of its own; answers what it took the time to be."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SWEEPS,
        database_url,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{CHECKOUT}", "SKEW_HOURS": str(skew_hours)},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return said.decode().strip()


async def test_schedulers_with_skewed_clocks_fire_neither_early_nor_twice_nor_late(
    pool, tenant, database_url, tmp_path
):
    """One is five hours ahead and one five hours behind; only the database's clock counts."""
    (tmp_path / "sitecustomize.py").write_text(SKEW, encoding="utf-8")
    now = await read_now(pool)
    due = [
        await add_schedule(pool, tenant.user_id, cron=cron_at(now - HOUR), made_until=now - 2 * HOUR) for _ in range(5)
    ]
    coming = [
        await add_schedule(pool, tenant.user_id, cron=cron_at(now + 2 * HOUR), made_until=now - HOUR) for _ in range(5)
    ]

    said = await asyncio.gather(
        *(scheduler(database_url, tmp_path, skew_hours=hours) for hours in (5, -5)),
    )

    assert said[0] > (now + 4 * HOUR).isoformat()
    assert said[1] < (now - 4 * HOUR).isoformat()
    assert [len(await occurrences_of(pool, schedule_id)) for schedule_id in due] == [1] * 5
    assert [len(await occurrences_of(pool, schedule_id)) for schedule_id in coming] == [0] * 5
    assert len(await jobs(pool)) == 5
    assert await pool.fetchval("SELECT max(next_at) < now() + $1::interval FROM schedules", DAY)
