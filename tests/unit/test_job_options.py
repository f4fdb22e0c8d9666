"""Priorities, attempts and waits of the job table."""

from datetime import timedelta

import pytest

from shared.jobs import (
    RETRY_STEPS_MS,
    JobPriority,
    JobType,
    covering_step_ms,
    create_critical_job_options,
    create_high_priority_job_options,
    create_low_priority_job_options,
    create_normal_job_options,
    create_very_low_priority_job_options,
    get_job_options_by_type,
)


@pytest.mark.parametrize(
    ("create", "priority", "attempts", "first_delays_ms"),
    [
        (create_critical_job_options, JobPriority.CRITICAL, 3, [2_000, 4_000]),
        (create_high_priority_job_options, JobPriority.HIGH, 5, [5_000, 10_000, 20_000, 40_000]),
        (create_normal_job_options, JobPriority.NORMAL, 5, [10_000, 20_000, 40_000, 80_000]),
        (create_low_priority_job_options, JobPriority.LOW, 10, [15_000, 30_000, 60_000]),
        (create_very_low_priority_job_options, JobPriority.VERY_LOW, 15, [30_000, 60_000, 120_000]),
    ],
)
def test_each_priority_has_the_attempts_and_waits_of_the_table(create, priority, attempts, first_delays_ms):
    """Attempts count the first run; each wait doubles the one before."""
    options = create()

    assert (options.priority, options.attempts) == (priority, attempts)
    assert options.retry_delays_ms()[: len(first_delays_ms)] == first_delays_ms
    assert len(options.retry_delays_ms()) == attempts - 1


def test_overrides_change_only_what_they_name():
    """A caller may ask for attempts and backoff, the latter in milliseconds or as timedelta."""
    in_ms = create_critical_job_options(attempts=7, backoff=100)
    as_timedelta = create_critical_job_options(attempts=7, backoff=timedelta(milliseconds=100))

    assert in_ms == as_timedelta
    assert (in_ms.attempts, in_ms.backoff_ms, in_ms.priority) == (7, 100, JobPriority.CRITICAL)


def test_a_planned_post_stands_in_the_normal_lane():
    """ "Now" never waits behind somebody's 10,000; the tries stay the same."""
    now, planned = (get_job_options_by_type(JobType.POST_PUBLISH, planned=planned) for planned in (False, True))

    assert (now.priority, planned.priority) == (JobPriority.CRITICAL, JobPriority.NORMAL)
    assert (now.attempts, now.backoff_ms) == (planned.attempts, planned.backoff_ms)


def test_the_ladder_has_every_wait_of_the_table_up_to_sixteen_minutes():
    """Each short wait of a priority has its own queue; the rest belongs in the outbox."""
    creators = (
        create_critical_job_options,
        create_high_priority_job_options,
        create_normal_job_options,
        create_low_priority_job_options,
        create_very_low_priority_job_options,
    )
    waits = {delay for create in creators for delay in create().retry_delays_ms()}

    assert set(RETRY_STEPS_MS) == {delay for delay in waits if delay <= 960_000}
    assert covering_step_ms(1) == 2_000
    assert covering_step_ms(2_001) == 4_000
    assert covering_step_ms(960_001) is None


def test_priorities_run_the_other_way_on_the_wire():
    """RabbitMQ serves the higher number first."""
    assert [priority.amqp for priority in JobPriority] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"attempts": 0}, "attempts must be a whole number from 1 to 100"),
        ({"backoff": -1}, "backoff must not be negative"),
        ({"cap": 0}, "cap must be at least 1 ms"),
        ({"jitter": 1.5}, "jitter must be a share from 0 to 1"),
        ({"delay": timedelta(days=31)}, "delay must be from 0 to 30 days"),
        ({"deadline": 0}, "deadline must be from 1 ms to 30 days"),
        ({"unique_key": ""}, "unique_key must have from 1 to 200 characters"),
        ({"repeat": {"every": 1000}}, "a repeated job needs a unique_key"),
    ],
    ids=["attempts", "backoff", "cap", "jitter", "delay", "deadline", "unique_key", "repeat"],
)
def test_an_option_that_cannot_be_meant_is_refused_with_what_to_change(overrides, says):
    """Bad options fail where they are made, not in a worker at night."""
    with pytest.raises(ValueError, match=says):
        create_normal_job_options(**overrides)


def test_all_faults_of_options_are_told_at_once():
    """Nobody mends them one by one."""
    with pytest.raises(ValueError, match=r"attempts .*; jitter "):
        create_normal_job_options(attempts=0, jitter=-1.0)


def test_a_misspelt_option_is_refused():
    """It would otherwise be lost without a word."""
    misspelt: dict[str, int] = {"backof": 5}

    with pytest.raises(TypeError, match="backof"):
        create_normal_job_options(**misspelt)  # type: ignore[arg-type]


def test_a_cap_ends_the_doubling():
    """No wait is longer than the cap."""
    options = create_low_priority_job_options(cap=timedelta(minutes=1))

    assert options.retry_delays_ms() == [15_000, 30_000] + [60_000] * 7


def test_jitter_adds_its_share_at_most():
    """A wait is never shorter than its formula says."""
    options = create_normal_job_options(jitter=0.2)

    waits = [options.jittered_ms(10_000) for _ in range(200)]

    assert all(10_000 <= wait <= 12_000 for wait in waits)
    assert len(set(waits)) > 1


def test_webhooks_are_tried_for_a_day():
    """Eight attempts whose waits add up to about 24 hours."""
    options = get_job_options_by_type(JobType.WEBHOOK_DELIVER)

    assert options.attempts == 8
    assert 86_000_000 < sum(options.retry_delays_ms()) < 86_500_000
