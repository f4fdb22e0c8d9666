"""The sweep that makes occurrences: each once, by the database's clock, and none without a row."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

from prometheus_client import REGISTRY

from services.scheduler.make_occurrences import make_occurrences_once
from tests.schedules import (
    DAY,
    HOUR,
    add_schedule,
    cron_at,
    events,
    jobs,
    live_alerts,
    occurrences_of,
    read_now,
    sweep,
)


async def test_what_is_due_gets_a_row_and_a_job_and_the_wait_for_the_next_is_known(pool, tenant):
    """The loop sleeps as long as it may."""
    now = await read_now(pool)
    nothing = await make_occurrences_once(pool)
    schedule_id = await add_schedule(pool, tenant.user_id, cron=cron_at(now - HOUR), made_until=now - 2 * HOUR)

    wait_s = await make_occurrences_once(pool)

    [row] = await occurrences_of(pool, schedule_id)
    assert nothing is None
    assert wait_s is not None
    assert 22 * 3600 < wait_s < 24 * 3600
    assert row["due_at"] == (now - HOUR).replace(second=0, microsecond=0)
    assert (row["state"], row["slot"], row["local_date"]) == ("pending", f"{now - HOUR:%H:%M}", (now - HOUR).date())
    assert await jobs(pool) == [str(row["id"])]
    assert await events(pool, "schedule.occurred") == []


async def test_three_weeks_asleep_end_in_no_burst_and_every_time_has_a_row(pool, tenant):
    """One that makes up does so once; one that skips does nothing; the rows say which was which."""
    now = await read_now(pool)
    cron = cron_at(now - 12 * HOUR)
    made_until = now - 21 * DAY
    makes_up = await add_schedule(pool, tenant.user_id, cron=cron, made_until=made_until)
    skips = await add_schedule(pool, tenant.user_id, cron=cron, made_until=made_until, misfire="skip")
    bounded = await add_schedule(pool, tenant.user_id, cron=cron, made_until=made_until, max_lateness_s=3600)

    await sweep(pool)

    told = [
        Counter((row["state"], row["reason"]) for row in await occurrences_of(pool, schedule_id))
        for schedule_id in (makes_up, skips, bounded)
    ]
    newest = (await occurrences_of(pool, makes_up))[-1]
    assert told == [
        {("skipped", "superseded"): 20, ("pending", None): 1},
        {("skipped", "misfire"): 21},
        {("skipped", "superseded"): 20, ("skipped", "too_late"): 1},
    ]
    assert newest["state"] == "pending"
    assert await jobs(pool) == [str(newest["id"])]
    assert len(await events(pool, "schedule.occurred")) == 62


async def test_more_due_times_than_a_sweep_makes_are_made_by_the_next_ones(pool, tenant):
    """Three weeks of every five minutes: bounded transactions, and still one publication."""
    now = await read_now(pool)
    schedule_id = await add_schedule(pool, tenant.user_id, cron="*/5 * * * *", made_until=now - 7 * DAY)

    first = await make_occurrences_once(pool)
    after_one = len(await occurrences_of(pool, schedule_id))
    await sweep(pool)

    rows = await occurrences_of(pool, schedule_id)
    gaps = {(later["due_at"] - earlier["due_at"]).total_seconds() for earlier, later in pairwise(rows)}
    assert first is not None
    assert first < 1
    assert after_one == 500
    assert len(rows) in (2016, 2017)
    assert gaps == {300.0}
    assert [row["state"] for row in rows if row["state"] != "skipped"] == ["pending"]
    assert rows[-1]["state"] == "pending"


async def test_three_sweeps_at_once_make_each_occurrence_once(pool, tenant):
    """However many schedulers run."""
    now = await read_now(pool)
    ids = [
        await add_schedule(pool, tenant.user_id, cron=cron_at(now - HOUR), made_until=now - 3 * DAY) for _ in range(30)
    ]

    await asyncio.gather(*(sweep(pool) for _ in range(3)))

    rows = [await occurrences_of(pool, schedule_id) for schedule_id in ids]
    assert [len(each) for each in rows] == [3] * 30
    assert len(await jobs(pool)) == 30


async def test_neither_a_restart_nor_an_edit_makes_one_twice(pool, tenant):
    """The wall time that the rule names is the key, whatever the rest of the rule."""
    now = await read_now(pool)
    cron = cron_at(now - HOUR)
    schedule_id = await add_schedule(pool, tenant.user_id, cron=cron, made_until=now - 3 * DAY)
    await sweep(pool)
    before = await occurrences_of(pool, schedule_id)

    await pool.execute(
        "UPDATE schedules SET made_until = $2, next_at = now(), dst_overlap = 'both' WHERE id = $1",
        schedule_id,
        now - 3 * DAY,
    )
    await sweep(pool)

    assert await occurrences_of(pool, schedule_id) == before
    assert len(await jobs(pool)) == 1


async def test_a_skipped_wall_time_and_a_doubled_one_are_told_by_rows(pool, tenant):
    """Berlin, a March and an October: what the policy leaves out is there, with its reason."""
    spring = await add_schedule(
        pool,
        tenant.user_id,
        cron="30 2 * * *",
        timezone="Europe/Berlin",
        dst_gap="skip",
        made_until=datetime(2026, 3, 27, 12, tzinfo=UTC),
        ends_at=datetime(2026, 3, 30, 12, tzinfo=UTC),
    )
    autumn = await add_schedule(
        pool,
        tenant.user_id,
        cron="30 2 * * *",
        timezone="Europe/Berlin",
        dst_overlap="both",
        made_until=datetime(2025, 10, 25, 12, tzinfo=UTC),
        ends_at=datetime(2025, 10, 26, 12, tzinfo=UTC),
    )

    await sweep(pool)

    assert [(row["local_date"].day, row["slot"], row["reason"]) for row in await occurrences_of(pool, spring)] == [
        (28, "02:30", "superseded"),
        (29, "02:30", "dst_gap"),
        (30, "02:30", None),
    ]
    assert [(row["slot"], row["due_at"].hour) for row in await occurrences_of(pool, autumn)] == [
        ("02:30", 0),
        ("02:30/2", 1),
    ]
    assert await pool.fetchval("SELECT count(*) FROM schedules WHERE next_at IS NULL") == 2


async def test_a_rule_that_cannot_be_computed_stops_alone(pool, tenant):
    """Its zone is gone: it is paused with what is wrong, and a person is told. The others go on."""
    now = await read_now(pool)
    broken, sound = [
        await add_schedule(pool, tenant.user_id, cron=cron_at(now - HOUR), made_until=now - DAY) for _ in range(2)
    ]
    await pool.execute("UPDATE schedules SET timezone = 'Europe/Atlantis' WHERE id = $1", broken)

    await sweep(pool)
    await sweep(pool)

    row = await pool.fetchrow("SELECT paused_at, error, made_until FROM schedules WHERE id = $1", broken)
    assert row["paused_at"] is not None
    assert row["error"] == ("'Europe/Atlantis' is no time zone known here; use an IANA name such as Europe/Berlin.")
    assert await live_alerts(pool) == [("schedule_broken", broken)]
    assert await events(pool, "schedule.changed") == [{"action": "schedule.stopped", "error": row["error"]}]
    assert await occurrences_of(pool, broken) == []
    assert len(await occurrences_of(pool, sound)) == 1


async def test_what_came_due_before_a_pause_or_a_removal_is_told_and_nothing_after_it(pool, tenant):
    """No scheduler ran for three days; a day ago somebody paused one schedule and removed another."""
    now = await read_now(pool)
    ids = [
        await add_schedule(pool, tenant.user_id, cron=cron_at(now - HOUR), made_until=now - 3 * DAY) for _ in range(2)
    ]
    await pool.execute("UPDATE schedules SET paused_at = now() - interval '1 day' WHERE id = $1", ids[0])
    await pool.execute("UPDATE schedules SET removed_at = now() - interval '1 day' WHERE id = $1", ids[1])

    assert await sweep(pool) is None

    told = [[row["reason"] for row in await occurrences_of(pool, schedule_id)] for schedule_id in ids]
    assert told == [["superseded", "paused"], ["superseded", "removed"]]
    assert await jobs(pool) == []
    assert len(await events(pool, "schedule.occurred")) == 4


async def test_a_stopped_schedule_that_cannot_be_computed_is_left_alone(pool, tenant):
    """It publishes nothing anyhow: no alert, and no sweep meets it again."""
    now = await read_now(pool)
    schedule_id = await add_schedule(pool, tenant.user_id, cron=cron_at(now - HOUR), made_until=now - DAY)
    await pool.execute("UPDATE schedules SET paused_at = now(), timezone = 'Europe/Atlantis'")

    assert await sweep(pool) is None

    row = await pool.fetchrow("SELECT error, next_at FROM schedules WHERE id = $1", schedule_id)
    assert (row["error"], row["next_at"]) == (None, None)
    assert await live_alerts(pool) == []


async def test_outcomes_are_counted_and_lateness_is_measured(pool, tenant):
    """An operator sees what was slept through, and how late the rest was made."""

    def value(name, **labels):
        return REGISTRY.get_sample_value(f"instadistro_schedule_{name}", labels) or 0

    def read():
        return (
            value("occurrences_total", state="skipped", reason="superseded"),
            value("lateness_seconds_count"),
            value("lateness_seconds_sum"),
        )

    now, before = await read_now(pool), read()
    await add_schedule(pool, tenant.user_id, cron=cron_at(now - HOUR), made_until=now - 3 * DAY)

    await sweep(pool)

    superseded, made, late_s = (after - then for after, then in zip(read(), before, strict=True))
    assert (superseded, made) == (2, 1)
    assert 3600 <= late_s < 3600 + 120
