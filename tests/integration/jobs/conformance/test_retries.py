"""Failures, waits and parking: what comes of a run, in memory as on the real servers."""

import msgspec
import pytest

from shared.jobs import (
    Again,
    Permanent,
    Transient,
    create_critical_job_options,
    create_high_priority_job_options,
    create_low_priority_job_options,
    create_normal_job_options,
    create_very_low_priority_job_options,
)
from tests.integration.jobs.conformance.drivers import always, endless, ran

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("options", "waits_ms"),
    [
        (create_critical_job_options(backoff=5), [5, 10]),
        (create_high_priority_job_options(backoff=5), [5, 10, 20, 40]),
        (create_normal_job_options(backoff=3), [3, 6, 12, 24]),
        (create_low_priority_job_options(backoff=1), [1, 2, 4, 8, 16, 32, 64, 128, 256]),
        (
            create_very_low_priority_job_options(backoff=1, cap=150),
            [1, 2, 4, 8, 16, 32, 64, 128, 150, 150, 150, 150, 150, 150],
        ),
    ],
    ids=["critical", "high", "normal", "low", "very low, capped"],
)
async def test_each_priority_is_tried_to_its_last_attempt_with_doubling_waits(driver, options, waits_ms):
    """Then it is parked; its priority stays what it was."""
    driver.handle(always(Transient("not yet")))
    await driver.add("errand", options)

    await driver.finish(runs=options.attempts, dead=1)

    assert driver.runs == ran("errand", *range(1, options.attempts + 1), priority=options.priority)
    driver.check_waits(waits_ms)
    [dead] = driver.dead
    assert (dead.reason, dead.attempt, dead.priority) == ("exhausted", options.attempts, options.priority)


async def test_jitter_adds_a_share_of_the_wait_at_most(driver):
    """No wait is shorter than its formula says, and no two jobs come back as one."""
    driver.handle(always(Transient("not yet")))
    for number in range(20):
        await driver.add(f"errand {number}", create_low_priority_job_options(backoff=HOUR_MS, jitter=0.5))

    await driver.reach(runs=20)

    dues_ms = await driver.dues_ms(20)
    first_ms, last_ms = min(driver.began_ms), max(driver.began_ms)
    assert min(dues_ms) >= first_ms + HOUR_MS
    assert max(dues_ms) <= last_ms + 1.5 * HOUR_MS + 60_000
    assert max(dues_ms) - min(dues_ms) > 60_000


async def test_the_wait_that_a_failure_names_wins(driver):
    """The server knows better than the policy."""
    driver.handle(always(Transient("busy", retry_after_s=0.03)))
    await driver.add("errand", create_critical_job_options())

    await driver.finish(runs=3, dead=1)

    driver.check_waits([30, 30])


async def test_what_can_never_succeed_is_parked_at_once(driver):
    """With the handler's reason, and all that a person needs to judge it."""
    driver.handle(always(Permanent("no_such_place")))
    job_id = await driver.add("errand")

    await driver.finish(runs=1, dead=1)

    [dead] = driver.dead
    assert driver.runs == ran("errand", 1)
    assert (str(dead.id), dead.type, dead.subject) == (job_id, "health:check", job_id)
    assert (dead.reason, dead.error, dead.attempt, dead.priority) == ("no_such_place", "no_such_place", 1, 2)
    assert dead.headers["x-version"] == "2"
    assert msgspec.json.decode(dead.payload) == {"name": "errand"}


async def test_a_bug_is_tried_again_and_every_attempt_is_told(driver):
    """The dead letter has the tale, oldest first."""

    async def fail(job):
        raise ZeroDivisionError(f"try {job.attempt}")

    driver.handle(fail)
    await driver.add("errand", create_normal_job_options(attempts=3, backoff=5))

    await driver.finish(runs=3, dead=1)

    [dead] = driver.dead
    assert dead.reason == "exhausted"
    assert [(failure.attempt, failure.error) for failure in dead.failures] == [
        (1, "ZeroDivisionError: try 1"),
        (2, "ZeroDivisionError: try 2"),
        (3, "ZeroDivisionError: try 3"),
    ]
    assert sorted(failure.at for failure in dead.failures) == [failure.at for failure in dead.failures]


async def test_a_wait_that_the_handler_asks_for_costs_no_attempt(driver):
    """`Again` is no failure, and is not told as one."""

    async def wait_twice(_job):
        if len(driver.runs) <= 2:
            return Again(delay_ms=20)
        raise Permanent("enough")

    driver.handle(wait_twice)
    await driver.add("errand")

    await driver.finish(runs=3, dead=1)

    assert driver.runs == ran("errand", 1, 1, 1)
    driver.check_waits([20, 20])
    assert [failure.attempt for failure in driver.dead[0].failures] == [1]


async def test_a_job_whose_deadline_has_passed_is_parked_and_not_run(driver):
    """The deadline counts from the end of the delay."""
    driver.handle()
    await driver.add("too late", create_normal_job_options(deadline=5))
    await driver.add("in time", create_normal_job_options(delay=30, deadline=HOUR_MS))
    await driver.pass_time(10)

    await driver.finish(runs=1, dead=1)

    assert [run.name for run in driver.runs] == ["in time"]
    assert [(dead.reason, dead.attempt) for dead in driver.dead] == [("deadline", 1)]


async def test_a_run_is_stopped_at_the_deadline_of_its_job(driver):
    """And is parked, whatever attempts are left."""
    driver.handle(endless)
    await driver.reach()
    await driver.add("endless", create_normal_job_options(deadline=1_000))

    await driver.finish(runs=1, dead=1)

    assert [(dead.reason, dead.attempt) for dead in driver.dead] == [("deadline", 1)]


async def test_a_run_that_lasts_too_long_is_stopped_and_has_failed(driver):
    """The policy decides on the next."""
    driver.handle(endless, timeout_s=0.02)
    await driver.add("endless", create_normal_job_options(attempts=2, backoff=5))

    await driver.finish(runs=2, dead=1)

    [dead] = driver.dead
    assert dead.reason == "exhausted"
    assert [failure.error for failure in dead.failures] == ["ran longer than 0.02 s"] * 2


async def test_a_handler_is_told_of_the_parking_and_may_put_it_off(driver):
    """Then the job comes again, with the attempt it had, until the parking is accepted."""
    told = []

    async def note(job, payload, dead):
        told.append((job.attempt, payload.name, dead.reason, dead.error))
        return Again(delay_ms=20) if len(told) == 1 else None

    driver.handle(always(Permanent("no_such_place")), on_parked=note)
    await driver.add("errand")

    await driver.finish(runs=2, dead=1)

    assert told == [(1, "errand", "no_such_place", "no_such_place")] * 2
    assert driver.runs == ran("errand", 1, 1)
    driver.check_waits([20])
    assert [dead.attempt for dead in driver.dead] == [1]
