"""What all processes have done together: added up, kept small, and never counted twice."""

import asyncio

import pytest
import structlog

from services.scheduler.cleanup import run_cleanup
from shared.cleanup import choose_policies
from shared.database import create_pool
from shared.jobs import CleanUp, JobType, fold_stats, new_job, read_stats, report_stats
from shared.jobs.monitor import JobMonitor, job_monitor
from shared.jobs.stats import StatsWriter

CHECK = JobType.HEALTH_CHECK
CLEAN = JobType.CLEANUP_OLD_JOBS


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


def count(monitor, job_type, *, completed=0, failed=0, active=0):
    """Let a monitor see so many jobs of a type."""
    for _ in range(completed + failed + active):
        monitor.record_job_started(job_type)
    for _ in range(completed):
        monitor.record_job_complete(job_type)
    for _ in range(failed):
        monitor.record_job_failed(job_type)


async def fall_silent(pool, *, hours=25.0):
    """All rows were written so long ago."""
    await pool.execute("UPDATE job_stats SET updated_at = now() - make_interval(secs => $1)", hours * 3_600)


async def rows(pool):
    return await pool.fetchval("SELECT count(*) FROM job_stats")


async def test_the_sums_of_all_processes_are_told_by_type(pool):
    """Each process adds what it counted since it last wrote."""
    first, second = JobMonitor(), JobMonitor()
    one, two = StatsWriter(pool, worker="one", monitor=first), StatsWriter(pool, worker="two", monitor=second)

    count(first, CHECK, completed=3, failed=1, active=2)
    await one.write_once()
    count(first, CHECK, completed=2)
    count(second, CHECK, failed=5)
    count(second, CLEAN, completed=1)
    await asyncio.gather(one.write_once(), two.write_once())
    await asyncio.gather(one.write_once(), two.write_once())

    assert await read_stats(pool) == {
        CLEAN: {"completed": 1, "failed": 0, "active": 0},
        CHECK: {"completed": 5, "failed": 6, "active": 2},
    }


async def test_what_a_silent_process_ran_is_no_longer_active(pool):
    """A process that was killed cannot say that its jobs ended; what it had done stays done."""
    monitor = JobMonitor()
    count(monitor, CHECK, completed=3, active=2)
    await StatsWriter(pool, worker="killed", monitor=monitor).write_once()
    await fall_silent(pool, hours=0.01)

    assert await read_stats(pool) == {CHECK: {"completed": 3, "failed": 0, "active": 0}}


async def test_the_rows_of_long_silent_processes_become_one_a_type_and_the_sums_stay(pool):
    """The table does not grow with every start of a process."""
    for number in range(20):
        monitor = JobMonitor()
        count(monitor, CHECK, completed=number, failed=1)
        count(monitor, CLEAN, completed=1)
        await StatsWriter(pool, worker=f"past-{number}", monitor=monitor).write_once()
        if number == 10:
            await fall_silent(pool)
            await fold_stats(pool, limit=1_000)
    before = await read_stats(pool)
    await fall_silent(pool)

    folded = [await fold_stats(pool, limit=7) for _ in range(4)]

    assert folded == [7, 7, 4, 0]
    assert await rows(pool) == 2
    assert (
        await read_stats(pool)
        == before
        == {
            CLEAN: {"completed": 20, "failed": 0, "active": 0},
            CHECK: {"completed": sum(range(20)), "failed": 20, "active": 0},
        }
    )


async def test_a_process_that_wakes_after_its_row_was_folded_is_not_counted_twice(pool):
    """A machine that slept over the weekend goes on where it was."""
    monitor = JobMonitor()
    writer = StatsWriter(pool, worker="sleeper", monitor=monitor)
    count(monitor, CHECK, completed=100)
    await writer.write_once()
    await fall_silent(pool)
    await fold_stats(pool, limit=1_000)

    count(monitor, CHECK, completed=1)
    await writer.write_once()

    assert await read_stats(pool) == {CHECK: {"completed": 101, "failed": 0, "active": 0}}


async def test_a_young_row_is_not_folded(pool):
    """A process may be away for a while."""
    monitor = JobMonitor()
    count(monitor, CHECK, completed=1)
    await StatsWriter(pool, worker="young", monitor=monitor).write_once()
    await fall_silent(pool, hours=23)

    assert await fold_stats(pool, limit=1_000) == 0


async def test_a_process_that_did_nothing_leaves_no_row(pool):
    """Nor one that stopped at once."""
    await StatsWriter(pool, worker="idle", monitor=JobMonitor()).write_once()

    assert await rows(pool) == 0


async def test_a_service_s_counts_are_written_once_more_when_it_stops(pool):
    """What its last jobs came to is not lost."""
    before = job_monitor.get_stats(CLEAN)["completed"]

    async with report_stats(pool, service="scheduler"):
        count(job_monitor, CLEAN, completed=4)

    [row] = await pool.fetch("SELECT worker, completed FROM job_stats WHERE type = $1", CLEAN)
    assert row["completed"] == before + 4
    assert row["worker"].startswith("scheduler:")


async def test_a_service_stops_although_its_last_counts_cannot_be_written(pool):
    """Statistics end no service, and keep none from ending."""
    with structlog.testing.capture_logs() as logs:
        async with report_stats(pool, service="scheduler"):
            await pool.execute("DROP TABLE job_stats")
            count(job_monitor, CLEAN, completed=1)

    assert "stats.last_write_failed" in {entry["event"] for entry in logs}


async def test_the_cleanup_folds_statistics_and_forgets_old_starts(pool):
    """A start that was counted a day ago tells nothing about the next one."""
    monitor = JobMonitor()
    count(monitor, CHECK, completed=1)
    await StatsWriter(pool, worker="past", monitor=monitor).write_once()
    await fall_silent(pool)
    await pool.execute(
        """
        INSERT INTO job_starts (type, subject, starts, last_started_at)
        VALUES ('t', 'old', 2, now() - interval '25 hours'), ('t', 'young', 2, now() - interval '23 hours')
        """
    )

    policies = choose_policies(archive_after_days=90, archive_keep_days=730)
    await run_cleanup(pool, policies, new_job(CLEAN, CleanUp(), subject="x"), CleanUp())

    assert [row["worker"] for row in await pool.fetch("SELECT worker FROM job_stats")] == ["folded"]
    assert [row["subject"] for row in await pool.fetch("SELECT subject FROM job_starts")] == ["young"]
