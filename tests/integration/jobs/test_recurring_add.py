"""Jobs are made to recur: when they come first, and what adding them again changes."""

import json
from datetime import timedelta

import pytest

from shared.database import create_pool
from shared.jobs import (
    JobType,
    Misfire,
    RepeatRule,
    add_recurring,
    create_high_priority_job_options,
    get_job_options_by_type,
    pause_recurring,
)
from tests.recurring import HOUR_MS, HOURLY, add, fire, put_due, recurring, row_of

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NINE = RepeatRule(cron="0 9 * * *", zone="Asia/Kolkata")


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, "now() + interval '1 hour'"),
        ({"first_in_ms": 0}, "now()"),
        ({"first_in_ms": 90_000}, "now() + interval '90 seconds'"),
        (
            {"rule": NINE},
            "(date_trunc('day', now() + interval '15 hours', 'Asia/Kolkata') + interval '9 hours')",
        ),
    ],
    ids=["every", "at once", "in a while", "cron"],
)
async def test_the_first_due_time_is_counted_by_the_database_s_clock(pool, changes, first):
    """One period from now, or when the cron line says, unless the caller names a wait."""
    async with pool.acquire() as connection, connection.transaction():
        await add_recurring(connection, [recurring("job", **changes)])

        found = await connection.fetchrow(f"SELECT next_due_at, {first} AS wanted FROM recurring_jobs")  # noqa: S608

    assert found["next_due_at"] == found["wanted"]


async def test_ten_thousand_are_added_in_one_call(pool):
    """As many as an import has accounts."""
    await add(pool, *(recurring(f"job-{number}") for number in range(10_000)))

    assert await pool.fetchval("SELECT count(*) FROM recurring_jobs") == 10_000


async def test_adding_none_writes_nothing(pool):
    """An empty list needs no care of the caller's."""
    await add(pool)

    assert await pool.fetchval("SELECT count(*) FROM recurring_jobs") == 0


async def test_of_several_with_one_name_the_last_counts(pool):
    """As if they were added one after the other."""
    await add(pool, recurring("job", version=1), recurring("job", version=2))

    assert (await row_of(pool, "job"))["version"] == 2


async def test_options_are_kept_where_they_differ_from_the_type_s(pool):
    """A change of the type's own options reaches the jobs that did not ask for others."""
    usual = get_job_options_by_type(JobType.HEALTH_CHECK)
    own = create_high_priority_job_options(attempts=2, deadline=timedelta(minutes=1), delay=5)
    await add(
        pool,
        recurring("usual", type=JobType.HEALTH_CHECK, options=usual),
        recurring("own", type=JobType.HEALTH_CHECK, options=own),
    )

    assert json.loads((await row_of(pool, "usual"))["options"]) == {}
    assert json.loads((await row_of(pool, "own"))["options"]) == {"attempts": 2, "deadline_ms": 60_000}


@pytest.mark.parametrize("rule", [HOURLY, NINE], ids=["every", "cron"])
async def test_adding_again_with_the_same_rhythm_keeps_the_due_times(pool, rule):
    """Every start of a service may add its jobs; none of them is put off, and everything else is brought up to date."""
    await add(pool, recurring("job", rule=rule))
    await put_due(pool, ago=-7 * MINUTE)
    before = await row_of(pool, "job")

    changed = RepeatRule(every_ms=rule.every_ms, cron=rule.cron, zone=rule.zone, misfire=Misfire.SKIP)
    await add(pool, recurring("job", rule=changed, payload=b'{"new": 1}', version=2, first_in_ms=0))

    after = await row_of(pool, "job")
    assert after["next_due_at"] == before["next_due_at"]
    assert (after["misfire"], after["payload"], after["version"]) == ("skip", '{"new": 1}', 2)


@pytest.mark.parametrize(
    ("due_in", "rule", "expected_s"),
    [
        (HOUR, RepeatRule(every_ms=60_000), 60),
        (MINUTE, RepeatRule(every_ms=24 * HOUR_MS), 60),
        (-MINUTE, RepeatRule(every_ms=60_000), -60),
        (-MINUTE, RepeatRule(cron="* * * * *", zone="UTC"), -60),
    ],
    ids=["quicker", "slower", "due already", "due already, now by cron"],
)
async def test_a_new_rhythm_comes_within_one_period_and_drops_nothing_that_is_due(pool, due_in, rule, expected_s):
    """Nobody waits for the end of a period that does not count any more."""
    await add(pool, recurring("job"))
    await put_due(pool, ago=-due_in)

    await add(pool, recurring("job", rule=rule, first_in_ms=24 * HOUR_MS if rule.cron is None else None))

    assert (await row_of(pool, "job"))["in_s"] == pytest.approx(expected_s, abs=20)


async def test_a_new_cron_line_is_followed_from_its_next_time_on(pool):
    """A due time of the old rhythm is none of the new."""
    await add(pool, recurring("job"), recurring("fresh", rule=NINE))

    await add(pool, recurring("job", rule=NINE))

    assert (await row_of(pool, "job"))["next_due_at"] == (await row_of(pool, "fresh"))["next_due_at"]


async def test_adding_again_does_not_resume(pool):
    """A person's pause outlasts the restarts of every service."""
    await add(pool, recurring("job"))
    async with pool.acquire() as connection, connection.transaction():
        await pause_recurring(connection, "job")

    await add(pool, recurring("job", rule=RepeatRule(every_ms=1), first_in_ms=0))

    assert (await fire(pool)).claimed == 0
