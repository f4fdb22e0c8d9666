"""From an occurrence to a distribution, or to a row that says why there is none."""

import asyncio
import json
from datetime import timedelta
from itertools import pairwise

import pytest

from services.scheduler.process_schedule import end_parked_occurrence
from services.scheduler.rescue_occurrences import rescue_occurrences_once
from shared.jobs import Dead, JobType, new_job
from tests.schedules import (
    add_group,
    add_occurrence,
    add_schedule,
    events,
    jobs,
    live_alerts,
    payload_of,
    process,
)


@pytest.fixture
async def group_id(pool, tenant):
    """A group of all three accounts."""
    return await add_group(pool, tenant.user_id, tenant.account_ids)


async def publications_of(pool, row):
    return await pool.fetch(
        "SELECT account_id, publish_at, state FROM publications WHERE distribution_id = $1 ORDER BY publish_at",
        row["distribution_id"],
    )


async def test_an_occurrence_becomes_a_distribution_over_its_window(pool, tenant, group_id):
    """It begins when it was due, keeps the gap, names its schedule, and is told by an event."""
    schedule_id = await add_schedule(
        pool, tenant.user_id, group_id=group_id, post_id=tenant.post_id, window_s=600, min_gap_s=60.0
    )

    row = await process(pool, await add_occurrence(pool, schedule_id, late_s=5))

    published = await publications_of(pool, row)
    times = [each["publish_at"] for each in published]
    distribution = await pool.fetchrow("SELECT * FROM distributions WHERE id = $1", row["distribution_id"])
    assert (row["state"], row["reason"], row["post_id"], row["publications"]) == (
        "distributed",
        None,
        tenant.post_id,
        3,
    )
    assert {each["account_id"] for each in published} == set(tenant.account_ids)
    assert times[0] >= row["due_at"]
    assert times[-1] <= row["due_at"] + timedelta(seconds=600)
    assert all(later - earlier >= timedelta(seconds=60) for earlier, later in pairwise(times))
    assert (distribution["schedule_id"], distribution["group_id"]) == (schedule_id, group_id)
    [event] = await events(pool, "schedule.occurred")
    assert event == {
        "occurrence_id": str(row["id"]),
        "local_date": row["local_date"].isoformat(),
        "slot": row["slot"],
        "due_at": row["due_at"].isoformat(),
        "state": "distributed",
        "reason": None,
        "post_id": str(tenant.post_id),
        "distribution_id": str(row["distribution_id"]),
        "publications": 3,
        "conflict_count": 0,
    }


async def test_without_a_window_everybody_publishes_when_it_is_due(pool, tenant, group_id):
    """Late by more than a minute, they publish now."""
    schedule_id = await add_schedule(pool, tenant.user_id, group_id=group_id, post_id=tenant.post_id)

    late = await process(pool, await add_occurrence(pool, schedule_id, late_s=600))
    on_time = await process(pool, await add_occurrence(pool, schedule_id, late_s=5))

    assert {each["publish_at"] for each in await publications_of(pool, on_time)} == {on_time["due_at"]}
    assert {each["publish_at"] for each in await publications_of(pool, late)} == {late["processed_at"]}


async def test_a_window_that_is_too_short_is_made_longer_and_says_so(pool, tenant, group_id):
    """Accounts were added since: nobody is left out for it."""
    schedule_id = await add_schedule(
        pool, tenant.user_id, group_id=group_id, post_id=tenant.post_id, window_s=60, min_gap_s=60.0
    )

    row = await process(pool, await add_occurrence(pool, schedule_id))

    times = [each["publish_at"] for each in await publications_of(pool, row)]
    assert (row["state"], row["reason"]) == ("distributed", "window_extended")
    assert times == [row["due_at"] + timedelta(seconds=60 * number) for number in range(3)]


async def test_it_is_processed_once_however_often_its_job_comes(pool, tenant, group_id):
    """Twice at a time, and once again after a worker that died before it could say that it was done."""
    schedule_id = await add_schedule(pool, tenant.user_id, group_id=group_id, post_id=tenant.post_id)
    occurrence_id = await add_occurrence(pool, schedule_id)

    await asyncio.gather(*(process(pool, occurrence_id) for _ in range(3)))
    await process(pool, occurrence_id)

    assert await pool.fetchval("SELECT count(*) FROM distributions") == 1
    assert await pool.fetchval("SELECT count(*) FROM publications") == 3
    assert len(await events(pool, "schedule.occurred")) == 1


async def test_accounts_that_cannot_take_part_are_named_with_the_reason(pool, tenant, group_id):
    """The others publish."""
    schedule_id = await add_schedule(pool, tenant.user_id, group_id=group_id, post_id=tenant.post_id)
    paused, full, able = tenant.account_ids
    await pool.execute("UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE' WHERE id = $1", paused)
    await pool.execute("UPDATE accounts SET quota_until = now() + interval '1 hour' WHERE id = $1", full)

    row = await process(pool, await add_occurrence(pool, schedule_id))

    assert (row["state"], row["publications"], row["conflict_count"]) == ("distributed", 1, 2)
    assert json.loads(row["conflicts"]) == [
        {"account_id": str(paused), "code": "account_not_publishable"},
        {"account_id": str(full), "code": "capacity_exceeded"},
    ]
    assert [each["account_id"] for each in await publications_of(pool, row)] == [able]


async def test_a_repeated_post_is_meant_to_come_again(pool, tenant, group_id):
    """Its own earlier publications are no duplicates."""
    schedule_id = await add_schedule(pool, tenant.user_id, group_id=group_id, post_id=tenant.post_id)

    rows = [await process(pool, await add_occurrence(pool, schedule_id)) for _ in range(2)]

    assert [row["publications"] for row in rows] == [3, 3]


@pytest.mark.parametrize("what", ["post", "account", "group", "queue"])
async def test_a_schedule_that_lost_what_it_needs_is_stopped_and_says_so(pool, tenant, what):
    """Its occurrence has failed, and nothing of it comes until a person has mended it."""
    source = {} if what == "queue" else {"post_id": tenant.post_id}
    target = {} if what == "group" else {"account_id": tenant.account_ids[0]}
    schedule_id = await add_schedule(pool, tenant.user_id, **source, **target)
    await pool.execute("UPDATE posts SET removed_at = now() WHERE $1", what == "post")
    await pool.execute("UPDATE accounts SET removed_at = now() WHERE $1", what == "account")

    row = await process(pool, await add_occurrence(pool, schedule_id))
    later = await process(pool, await add_occurrence(pool, schedule_id))

    schedule = await pool.fetchrow("SELECT paused_at, error FROM schedules WHERE id = $1", schedule_id)
    assert (row["state"], row["reason"]) == ("failed", f"{what}_gone")
    assert (later["state"], later["reason"]) == ("skipped", "paused")
    assert schedule["paused_at"] is not None
    assert f"{what} was removed; give it" in schedule["error"]
    assert await live_alerts(pool) == [("schedule_broken", schedule_id)]
    assert await pool.fetchval("SELECT count(*) FROM publications") == 0


@pytest.mark.parametrize(("column", "reason"), [("paused_at", "paused"), ("removed_at", "removed")])
async def test_what_was_paused_or_removed_meanwhile_publishes_nothing(pool, tenant, column, reason):
    """Its row says so."""
    schedule_id = await add_schedule(pool, tenant.user_id, account_id=tenant.account_ids[0], post_id=tenant.post_id)
    occurrence_id = await add_occurrence(pool, schedule_id)
    await pool.execute(f"UPDATE schedules SET {column} = now()")  # noqa: S608 - a constant of this test

    row = await process(pool, occurrence_id)

    assert (row["state"], row["reason"]) == ("skipped", reason)
    assert row["processed_at"] is not None


async def test_jobs_that_waited_for_days_with_the_broker_are_no_burst(pool, tenant):
    """Only the newest is published, and that only if it is not too late."""
    fields = {"account_id": tenant.account_ids[0], "post_id": tenant.post_id}
    schedule_id = await add_schedule(pool, tenant.user_id, **fields)
    bounded = await add_schedule(pool, tenant.user_id, **fields, max_lateness_s=3600)
    waiting = [await add_occurrence(pool, schedule_id, late_s=86_400 * days) for days in (3, 2, 1)]

    rows = [await process(pool, occurrence_id) for occurrence_id in waiting]
    too_late = await process(pool, await add_occurrence(pool, bounded, late_s=7200))

    assert [(row["state"], row["reason"]) for row in (*rows, too_late)] == [
        ("skipped", "superseded"),
        ("skipped", "superseded"),
        ("distributed", None),
        ("skipped", "too_late"),
    ]


async def test_an_occurrence_whose_job_was_lost_gets_another(pool, tenant):
    """After a minute, then less and less often: a long queue is not made longer."""
    schedule_id = await add_schedule(pool, tenant.user_id)
    occurrence_id = await add_occurrence(pool, schedule_id)

    async def rescued(*, created_s, asked_s):
        await pool.execute("DELETE FROM outbox")
        await pool.execute(
            """
            UPDATE schedule_occurrences
            SET created_at = now() - $1 * interval '1 second', asked_at = now() - $2 * interval '1 second'
            """,
            created_s,
            asked_s,
        )
        assert await rescue_occurrences_once(pool) is None
        return await jobs(pool) == [str(occurrence_id)]

    assert not await rescued(created_s=50, asked_s=50)
    assert await rescued(created_s=70, asked_s=70)
    assert not await rescued(created_s=160, asked_s=70)
    assert await rescued(created_s=200, asked_s=110)
    await pool.execute("UPDATE schedule_occurrences SET state = 'skipped'")
    assert not await rescued(created_s=70, asked_s=70)


async def test_an_occurrence_whose_job_is_given_up_has_failed(pool, tenant):
    """A person is told; a later success of the schedule ends the alert."""
    schedule_id = await add_schedule(pool, tenant.user_id, account_id=tenant.account_ids[0], post_id=tenant.post_id)
    occurrence_id = await add_occurrence(pool, schedule_id)
    payload = await payload_of(pool, occurrence_id)
    job = new_job(JobType.SCHEDULE_PROCESS, payload, subject=str(occurrence_id))

    for _ in range(2):
        await end_parked_occurrence(pool, job, payload, Dead(reason="exhausted", error="It failed."))

    row = await pool.fetchrow("SELECT state, reason FROM schedule_occurrences WHERE id = $1", occurrence_id)
    assert tuple(row) == ("failed", "gave_up")
    assert await live_alerts(pool) == [("schedule_broken", schedule_id)]
    assert [event["reason"] for event in await events(pool, "schedule.occurred")] == ["gave_up"]
    await process(pool, await add_occurrence(pool, schedule_id))
    assert await live_alerts(pool) == []
