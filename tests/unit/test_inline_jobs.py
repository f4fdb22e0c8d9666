"""The queue in memory: its clock, and what only it can show in a moment."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.jobs import (
    Again,
    CheckAccount,
    CleanUp,
    Handler,
    JobType,
    Permanent,
    Repeat,
    Transient,
    create_critical_job_options,
    create_high_priority_job_options,
    create_low_priority_job_options,
    create_normal_job_options,
    create_very_low_priority_job_options,
)
from shared.jobs.testing import InlineJobs

DOCS = Path(__file__).parents[2] / "docs" / "jobs.md"
SUMMER_TIME_BEGINS = datetime(2026, 3, 28, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOBODY = UUID("00000000-0000-7000-8000-000000000000")


class Clinic:
    """A queue with one handler that notes when it ran, and does what the test says."""

    def __init__(self, do=None, *, start=datetime(2026, 1, 5, tzinfo=UTC)):
        self.do = do
        self.ran_at = []
        self.jobs = InlineJobs({JobType.CLEANUP_OLD_JOBS: Handler(payload=CleanUp, run=self.run)}, start=start)
        self.start = self.jobs.now

    async def run(self, job, _payload):
        self.ran_at.append(self.jobs.now)
        return await self.do(job) if self.do else None

    async def add(self, options=None):
        return await self.jobs.add(JobType.CLEANUP_OLD_JOBS, CleanUp(), options)

    def waits_s(self):
        """From the start to each run."""
        return [(at - self.start).total_seconds() for at in self.ran_at]


def always(error):
    async def fail(_job):
        raise error

    return fail


@pytest.mark.parametrize(
    ("create", "base_s", "attempts"),
    [
        (create_critical_job_options, 2, 3),
        (create_high_priority_job_options, 5, 5),
        (create_normal_job_options, 10, 5),
        (create_low_priority_job_options, 15, 10),
        (create_very_low_priority_job_options, 30, 15),
    ],
    ids=["critical", "high", "normal", "low", "very low"],
)
async def test_each_priority_keeps_the_table_to_its_last_attempt(create, base_s, attempts):
    """Days of waits in a moment: after n failures base x (2^n - 1) seconds have passed."""
    clinic = Clinic(always(Transient("not yet")))
    await clinic.add(create())

    ran = await clinic.jobs.advance(timedelta(days=7))

    assert ran == attempts
    assert clinic.waits_s() == [base_s * (2**failures - 1) for failures in range(attempts)]
    [dead] = clinic.jobs.dead
    assert (dead.reason, dead.attempt, len(dead.failures)) == ("exhausted", attempts, attempts)
    assert clinic.jobs.now - clinic.start == timedelta(days=7)


async def test_nothing_runs_before_its_time_and_the_clock_stands_still_by_itself():
    """What waits can be looked at, with its due time."""
    clinic = Clinic()
    job_id = await clinic.add(create_normal_job_options(delay=MINUTE))

    early = [await clinic.jobs.run_until_idle(), await clinic.jobs.advance(59_999)]
    [waiting] = clinic.jobs.waiting
    in_time = await clinic.jobs.advance(1)

    assert (early, in_time) == ([0, 0], 1)
    assert (waiting.job.id, waiting.due_at) == (job_id, clinic.start + MINUTE)
    assert [job.id for job in clinic.jobs.finished] == [job_id]
    assert clinic.jobs.waiting == []


async def test_what_a_run_adds_for_later_runs_on_the_same_way():
    """One call goes through all that comes due on it, in the order of the due times."""
    clinic = Clinic()

    async def add_next(_job):
        if len(clinic.ran_at) < 3:
            await clinic.add(create_normal_job_options(delay=MINUTE))

    clinic.do = add_next
    await clinic.add()

    ran = await clinic.jobs.advance(timedelta(hours=1))

    assert ran == 3
    assert clinic.waits_s() == [0, 60, 120]


async def test_a_cron_line_fires_by_its_zone():
    """Nine in the morning in Berlin is an hour earlier in UTC once summer time has begun."""
    clinic = Clinic(start=SUMMER_TIME_BEGINS - timedelta(days=1))
    await clinic.add(create_normal_job_options(unique_key="x", repeat={"cron": "0 9 * * *", "zone": "Europe/Berlin"}))

    await clinic.jobs.advance(timedelta(days=3))

    assert [f"{at:%m-%d %H:%M}" for at in clinic.ran_at] == ["03-28 08:00", "03-29 07:00", "03-30 07:00"]
    assert clinic.jobs.recurring == {"x": datetime(2026, 3, 31, 7, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("misfire", "runs_s"),
    [("skip", [14_400]), ("once", [12_600, 14_400]), ("catch_up", [12_600, 12_600, 12_600, 14_400])],
)
async def test_what_was_slept_through_fires_by_its_misfire_policy(misfire, runs_s):
    """An hour's rhythm, three and a half hours away; then it goes on where the grid does."""
    clinic = Clinic()
    hourly: Repeat = {"every": timedelta(hours=1), "misfire": misfire}
    await clinic.add(create_normal_job_options(unique_key="x", repeat=hourly))

    clinic.jobs.pass_time(timedelta(hours=3, minutes=30))
    await clinic.jobs.run_until_idle()
    await clinic.jobs.advance(timedelta(minutes=30))

    assert clinic.waits_s() == runs_s


async def test_a_firing_that_comes_after_its_next_due_time_is_dropped():
    """Each job is in one place: this one among the expired."""
    clinic = Clinic(always(Transient("not yet", retry_after_s=120)))
    await clinic.add(create_normal_job_options(unique_key="x", repeat={"every": MINUTE}))

    await clinic.jobs.advance(3 * MINUTE)

    assert clinic.waits_s() == [60, 120, 180]
    assert [job.repeat for job in clinic.jobs.expired] == ["x"]
    assert clinic.jobs.dead == []


async def test_a_server_of_ours_that_is_away_costs_no_attempt():
    """The job comes back after five seconds, as often as it takes."""

    async def be_away_twice(_job):
        if len(clinic.ran_at) <= 2:
            raise ConnectionRefusedError("the database")

    clinic = Clinic(be_away_twice)
    await clinic.add(create_normal_job_options(attempts=1))

    await clinic.jobs.advance(MINUTE)

    assert clinic.waits_s() == [0, 5, 10]
    assert [job.attempt for job in clinic.jobs.finished] == [1]


async def test_the_time_that_a_run_takes_counts_before_the_next():
    """A wait begins when the run has ended."""

    async def take_long(_job):
        clinic.jobs.pass_time(7_000)
        raise Transient("not yet")

    clinic = Clinic(take_long)
    await clinic.add(create_critical_job_options())

    await clinic.jobs.advance(MINUTE)

    assert clinic.waits_s() == [0, 9, 20]


async def test_a_job_of_a_service_without_a_handler_waits():
    """As it would in the queue of that service: the test sees what its handler added for others."""
    clinic = Clinic()

    async def ask_for_a_check(_job):
        await clinic.jobs.add(JobType.HEALTH_CHECK, CheckAccount(user_id=NOBODY, account_id=NOBODY))

    clinic.do = ask_for_a_check
    await clinic.add()

    ran = await clinic.jobs.advance(MINUTE)

    assert ran == 1
    assert [(waiting.job.type, waiting.due_at) for waiting in clinic.jobs.waiting] == [("health:check", clinic.start)]
    assert len(clinic.jobs.finished) == 1


async def test_a_job_that_comes_again_for_ever_is_told(monkeypatch):
    """And ends the test, not the patience."""
    monkeypatch.setattr("shared.jobs.testing.inline._MOST_STEPS", 50)

    async def come_again(_job):
        return Again(delay_ms=0)

    clinic = Clinic(come_again)
    await clinic.add()

    with pytest.raises(RuntimeError, match="look for a job that comes again at once"):
        await clinic.jobs.run_until_idle()

    assert len(clinic.ran_at) == 50


async def test_a_handler_cannot_run_other_jobs():
    """It would run beside itself; the fault is told like any other of a handler."""

    async def advance(_job):
        await clinic.jobs.advance(MINUTE)

    clinic = Clinic(advance)
    await clinic.add(create_normal_job_options(attempts=1))

    await clinic.jobs.run_until_idle()

    assert [dead.error for dead in clinic.jobs.dead] == [
        "RuntimeError: a handler cannot run other jobs; let it call pass_time to move the clock alone"
    ]


async def test_the_clock_runs_forward_only():
    """Either way of moving it."""
    jobs = Clinic().jobs

    with pytest.raises(ValueError, match="forward only"):
        await jobs.advance(-1)
    with pytest.raises(ValueError, match="forward only"):
        jobs.pass_time(timedelta(seconds=-1))


async def test_jobs_die_in_the_order_in_which_they_are_parked_with_the_time():
    """The history has the times of the virtual clock."""
    clinic = Clinic(always(Permanent("never")))
    for delay in (2 * MINUTE, MINUTE):
        await clinic.add(create_normal_job_options(delay=delay))

    await clinic.jobs.advance(timedelta(hours=1))

    times = [clinic.start + MINUTE, clinic.start + 2 * MINUTE]
    assert [dead.died_at for dead in clinic.jobs.dead] == times
    assert [dead.failures[0].at for dead in clinic.jobs.dead] == times


async def test_the_example_of_the_docs_works():
    """Copied from the page, it passes."""
    section = DOCS.read_text(encoding="utf-8").split("\n## Testing handlers\n")[1]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}

    exec(compile(found[1], DOCS, "exec"), names)  # noqa: S102 - our own page

    [test] = [function for name, function in names.items() if name.startswith("test_")]
    await test()


@pytest.mark.parametrize(
    ("wish_s", "wait"),
    [
        (float("nan"), timedelta(seconds=30)),
        (float("inf"), timedelta(seconds=30)),
        (-5.0, timedelta(0)),
        (1e12, timedelta(days=30)),
    ],
    ids=["not-a-number", "for-ever", "negative", "too-long"],
)
async def test_a_wish_that_cannot_be_meant_is_no_reason_to_lose_the_job(wish_s, wait):
    """It comes from a server's header, and may be anything that looks like a number."""
    clinic = Clinic(always(Transient("away", retry_after_s=wish_s)))
    await clinic.add(create_very_low_priority_job_options(attempts=2))

    await clinic.jobs.advance(wait)

    assert clinic.waits_s() == [0, wait.total_seconds()]


async def test_a_handlers_own_wait_has_a_longest_too():
    """Thirty days, as for every wait."""

    async def wait_for_ages(_job):
        return Again(delay_ms=10**18) if len(clinic.ran_at) == 1 else None

    clinic = Clinic(wait_for_ages)
    await clinic.add()

    await clinic.jobs.advance(timedelta(days=30))

    assert clinic.waits_s() == [0, timedelta(days=30).total_seconds()]
