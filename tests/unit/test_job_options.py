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
    """Each short wait has its own queue; the rest belongs in the outbox."""
    waits = {delay for job_type in JobType for delay in get_job_options_by_type(job_type).retry_delays_ms()}

    assert set(RETRY_STEPS_MS) == {delay for delay in waits if delay <= 960_000}
    assert covering_step_ms(1) == 2_000
    assert covering_step_ms(2_001) == 4_000
    assert covering_step_ms(960_001) is None


def test_priorities_run_the_other_way_on_the_wire():
    """RabbitMQ serves the higher number first."""
    assert [priority.amqp for priority in JobPriority] == [5, 4, 3, 2, 1]
