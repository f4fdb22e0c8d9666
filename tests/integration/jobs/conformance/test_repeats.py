"""Jobs that come again by themselves, in memory as on the real servers."""

from shared.jobs import (
    JobPriority,
    Transient,
    create_normal_job_options,
)
from tests.integration.jobs.conformance.drivers import always, ran

HOUR_MS = 3_600_000


async def test_a_repeated_job_fires_on_its_rhythm_and_ends_with_its_next_due_time(driver):
    """Each due time once; a firing is an attempt of its own under the job's name."""
    driver.handle()
    before_ms = int(driver.now_ms())
    name = await driver.add("errand", create_normal_job_options(unique_key="rounds", repeat={"every": 100}))

    await driver.reach(runs=4)

    jobs = driver.jobs[:4]
    assert name == "rounds"
    assert driver.runs[:4] == ran("errand", 1, priority=JobPriority.NORMAL) * 4
    assert [(job.subject, job.repeat) for job in jobs] == [("rounds", "rounds")] * 4
    assert len({job.id for job in jobs}) == 4
    driver.check_times([began_ms - before_ms for began_ms in driver.began_ms[:4]], [100, 200, 300, 400])
    driver.check_times([job.deadline_ms - before_ms for job in jobs], [200, 300, 400, 500])


async def test_a_firing_that_waits_to_be_tried_again_gives_way_to_the_next(driver):
    """Its next due time has come; nothing of the old one is parked."""
    driver.handle(always(Transient("not yet", retry_after_s=0.35)))
    before_ms = int(driver.now_ms())
    await driver.add("errand", create_normal_job_options(unique_key="rounds", repeat={"every": 100}))

    await driver.reach(runs=3)

    assert driver.runs[:3] == ran("errand", 1, priority=JobPriority.NORMAL) * 3
    assert len({job.id for job in driver.jobs[:3]}) == 3
    driver.check_times([began_ms - before_ms for began_ms in driver.began_ms[:3]], [100, 200, 300])


async def test_a_firing_that_comes_too_late_is_dropped_and_not_parked(driver):
    """Its next one stands for it."""
    driver.handle(always(Transient("not yet", retry_after_s=1.1)))
    options = create_normal_job_options(unique_key="rounds", delay=20, deadline=1_000, repeat={"every": HOUR_MS})
    await driver.reach()
    await driver.add("errand", options)

    await driver.finish(runs=1)

    assert driver.runs == ran("errand", 1, priority=JobPriority.NORMAL)
    assert driver.dead == []


async def test_a_repeated_job_that_is_added_again_keeps_its_due_time_or_takes_a_sooner_one(driver):
    """What has the rhythm it had is not put off by each deployment; a new cron line names its own time."""
    changes = {
        "as it was": ({"every": 60_000}, {"every": 60_000}),
        "quicker": ({"every": HOUR_MS}, {"every": 60_000}),
        "slower": ({"every": 60_000}, {"every": HOUR_MS}),
        "every to cron": ({"every": HOUR_MS}, {"cron": "* * * * *"}),
        "cron to every": ({"cron": "0 0 1 1 *"}, {"every": 60_000}),
        "another cron": ({"cron": "* * * * *"}, {"cron": "0 0 1 1 *"}),
        "another zone": ({"cron": "0 0 1 1 *", "zone": "Asia/Kolkata"}, {"cron": "0 0 1 1 *"}),
    }

    moves = {}
    for name, repeats in changes.items():
        before, after = [await due_of(driver, name, repeat) for repeat in repeats]
        moves[name] = (after > before) - (after < before)

    assert moves == {
        "as it was": 0,
        "quicker": -1,
        "slower": 0,
        "every to cron": -1,
        "cron to every": -1,
        "another cron": 1,
        "another zone": 1,
    }


async def due_of(driver, name, repeat):
    """When a repeated job fires next that was added a moment ago."""
    await driver.add("errand", create_normal_job_options(unique_key=name, repeat=repeat))
    await driver.pass_time(1)
    return await driver.next_due_at(name)
