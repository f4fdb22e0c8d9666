"""Recurring jobs are listed, paused, resumed, run at once and removed."""

from datetime import timedelta

import pytest

from shared.database import create_pool
from shared.errors import InstaDistroError
from shared.jobs import (
    BrokenRecurringError,
    JobType,
    Misfire,
    RepeatRule,
    UnknownRecurringError,
    list_recurring,
    pause_recurring,
    remove_recurring,
    resume_recurring,
    run_recurring_now,
)
from tests.recurring import HOUR_MS, add, fire, firings, put_due, recurring, row_of

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NINE = RepeatRule(cron="0 9 * * *", zone="Asia/Kolkata")


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


async def call(pool, function, name):
    async with pool.acquire() as connection, connection.transaction():
        await function(connection, name)


async def test_the_list_begins_with_what_is_due_first(pool):
    """Of one type or of all, by due time and then by name, and no more than asked for."""
    check = recurring("check", type=JobType.HEALTH_CHECK, rule=NINE, first_in_ms=1_000)
    await add(pool, recurring("b", first_in_ms=5_000), recurring("a", first_in_ms=5_000), check)

    async with pool.acquire() as connection:
        everything = await list_recurring(connection)
        first = await list_recurring(connection, limit=1)
        [listed] = await list_recurring(connection, job_type=JobType.HEALTH_CHECK)

    assert [state.name for state in everything] == ["check", "a", "b"]
    assert first == [listed]
    assert (listed.type, listed.rule, listed.paused_at, listed.error) == ("health:check", NINE, None, None)


async def test_the_list_is_bounded_whatever_is_asked_for(pool):
    """A hundred thousand accounts do not come back in one answer."""
    await add(pool, *(recurring(f"job-{number}") for number in range(1_001)))

    async with pool.acquire() as connection:
        assert len(await list_recurring(connection, limit=1_000_000)) == 1_000
        assert len(await list_recurring(connection)) == 100


async def test_a_paused_job_does_not_fire_and_resumes_with_its_next_due_time(pool):
    """A pause is meant: what was due in it is not made up for, and the grid is the old one."""
    await add(pool, recurring("job", rule=RepeatRule(every_ms=HOUR_MS, misfire=Misfire.CATCH_UP)))
    await put_due(pool, ago=3 * HOUR + MINUTE)
    due = (await row_of(pool, "job"))["next_due_at"]

    await call(pool, pause_recurring, "job")
    while_paused = await fire(pool)
    await call(pool, resume_recurring, "job")
    resumed = await fire(pool)

    row = await row_of(pool, "job")
    assert (while_paused.claimed, resumed.claimed) == (0, 0)
    assert (row["paused_at"], row["next_due_at"]) == (None, due + 4 * HOUR)


async def test_a_short_pause_costs_no_due_time(pool):
    """What is still to come stays as it was."""
    await add(pool, recurring("job"))
    due = (await row_of(pool, "job"))["next_due_at"]

    await call(pool, pause_recurring, "job")
    await call(pool, resume_recurring, "job")

    assert (await row_of(pool, "job"))["next_due_at"] == due


async def test_pausing_twice_and_resuming_twice_are_once(pool):
    """A repeated command changes nothing: not since when it is paused, and not what is due."""
    await add(pool, recurring("job"))

    await call(pool, pause_recurring, "job")
    paused = (await row_of(pool, "job"))["paused_at"]
    await call(pool, pause_recurring, "job")
    paused_again = (await row_of(pool, "job"))["paused_at"]
    await call(pool, resume_recurring, "job")
    await put_due(pool, ago=MINUTE)
    await call(pool, resume_recurring, "job")

    assert paused == paused_again
    assert (await fire(pool)).fired == {"cleanup:old_jobs": 1}


async def test_running_at_once_is_one_firing_more(pool):
    """Beside what waits already, paused or not; due times stay, and none of them ends the run."""
    await add(pool, recurring("job", first_in_ms=0))
    await fire(pool)
    due = (await row_of(pool, "job"))["next_due_at"]
    await call(pool, pause_recurring, "job")

    await call(pool, run_recurring_now, "job")

    [regular, extra] = (await firings(pool)).items()
    assert regular[0] == "job"
    assert extra[0].startswith("job@")
    assert ("x-deadline" in extra[1], extra[1]["x-repeat"]) == (False, "job")
    assert (await row_of(pool, "job"))["next_due_at"] == due


async def test_a_removed_job_fires_no_more(pool):
    """It is gone, and its name is free."""
    await add(pool, recurring("job", first_in_ms=0))

    await call(pool, remove_recurring, "job")

    assert (await fire(pool)).claimed == 0
    with pytest.raises(UnknownRecurringError):
        await call(pool, remove_recurring, "job")


@pytest.mark.parametrize("function", [pause_recurring, resume_recurring, run_recurring_now, remove_recurring])
async def test_a_name_that_nothing_has_is_told_with_what_to_do(pool, function):
    """One sentence for the operator, not a silent success."""
    with pytest.raises(UnknownRecurringError) as unknown:
        await call(pool, function, "jbo")

    assert isinstance(unknown.value, InstaDistroError)
    assert str(unknown.value) == "there is no recurring job named 'jbo'. List the recurring jobs to see their names."


async def test_a_broken_job_resumes_once_its_rule_can_be_computed(pool):
    """Until then the command says what is wrong; the repair is to add it anew."""
    await add(pool, recurring("job", rule=NINE))
    await pool.execute("UPDATE recurring_jobs SET zone = 'Europe/Atlantis'")
    await put_due(pool, ago=MINUTE / 2)
    await fire(pool)

    with pytest.raises(BrokenRecurringError, match="'job' is broken: 'Europe/Atlantis' is no time zone known here"):
        await call(pool, resume_recurring, "job")
    await add(pool, recurring("job", rule=NINE))
    await call(pool, resume_recurring, "job")

    row = await row_of(pool, "job")
    assert (row["paused_at"], row["error"]) == (None, None)
    assert row["in_s"] > 0


async def test_a_job_of_another_version_s_type_cannot_be_run_by_this_one(pool):
    """The command says so instead of making a job that nobody takes."""
    await add(pool, recurring("job"))
    await pool.execute("UPDATE recurring_jobs SET type = 'of:tomorrow'")

    with pytest.raises(BrokenRecurringError, match="'of:tomorrow' is not a valid JobType"):
        await call(pool, run_recurring_now, "job")

    assert await firings(pool) == {}
