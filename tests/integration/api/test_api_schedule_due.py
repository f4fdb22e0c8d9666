"""What came due before a schedule is changed, paused or removed: each due time has its row, by the rule that held."""

from __future__ import annotations

import json

import pytest

from services.scheduler.make_occurrences import make_occurrences_once
from tests.schedules import cron_at

# As if no scheduler had run for so long; the schedule is due daily, an hour before now.
ASLEEP = "UPDATE schedules SET made_until = now() - $1::text::interval, next_at = now() - $1::text::interval"
ROWS = "SELECT state, reason, slot FROM schedule_occurrences ORDER BY due_at"


@pytest.fixture
async def schedule(gateway, alice):
    """Daily, at the minute an hour ago in UTC."""
    [row] = await gateway.rows("SELECT date_trunc('minute', now()) - interval '1 hour' AS due")
    wish = {"name": "S", "cron": cron_at(row["due"]), "timezone": "UTC", "post_id": await alice.add_post()}
    made = await alice.post(
        "/v1/schedules", json={**wish, "group_id": await alice.add_group(await alice.add_accounts(1))}
    )
    assert made.status == 201, made.body
    return made.body


async def told(gateway):
    return [(row["state"], row["reason"]) for row in await gateway.rows(ROWS)]


async def asked(gateway):
    return len(await gateway.rows("SELECT id FROM outbox WHERE type = 'schedule:process'"))


async def test_a_change_of_the_rule_loses_nothing_that_came_due_before(gateway, alice, schedule):
    """By the old rule, with its policy, and with a job for the one that is made up for; then the new one counts."""
    await gateway.rows(ASLEEP, "3 days")

    changed = await alice.call("PATCH", f"/v1/schedules/{schedule['id']}", json={"cron": "0 12 1 1 *"})

    assert (changed.status, changed.body["next_local"][5:16]) == (200, "01-01T12:00")
    assert await told(gateway) == [("skipped", "superseded")] * 2 + [("pending", None)]
    assert {row["slot"] for row in await gateway.rows(ROWS)} == {schedule["next_local"][11:16]}
    assert await asked(gateway) == 1
    events = await gateway.rows("SELECT payload FROM events WHERE type = 'schedule.occurred'")
    assert [json.loads(event["payload"])["reason"] for event in events] == ["superseded"] * 2


async def test_a_change_of_anything_else_leaves_it_to_the_scheduler(gateway, alice, schedule):
    """What came due is made by the next sweep, and judged by the policy of then."""
    await gateway.rows(ASLEEP, "3 days")

    await alice.call("PATCH", f"/v1/schedules/{schedule['id']}", json={"misfire": "skip"})

    assert await told(gateway) == []
    await make_occurrences_once(gateway.deps.pool)
    assert await told(gateway) == [("skipped", "misfire")] * 3


@pytest.mark.parametrize(("call", "reason"), [(("POST", "/pause"), "paused"), (("DELETE", ""), "removed")])
async def test_a_pause_and_a_removal_end_what_came_due_before(gateway, alice, schedule, call, reason):
    """The scheduler writes the rows when it wakes; a schedule that is resumed before that writes them itself."""
    method, more = call
    await gateway.rows(ASLEEP, "3 days")

    stopped = await alice.call(method, f"/v1/schedules/{schedule['id']}{more}")
    await make_occurrences_once(gateway.deps.pool)

    assert stopped.status in {200, 204}
    assert await told(gateway) == [("skipped", "superseded")] * 2 + [("skipped", reason)]
    assert await asked(gateway) == 0
    assert await make_occurrences_once(gateway.deps.pool) is None


async def test_a_pause_that_no_scheduler_saw_is_told_when_it_ends(gateway, alice, schedule):
    """Up to the pause; of the time in it there is nothing to tell."""
    await gateway.rows(ASLEEP, "5 days")
    await gateway.rows("UPDATE schedules SET paused_at = now() - interval '2 days', max_lateness_s = NULL")

    resumed = await alice.post(f"/v1/schedules/{schedule['id']}/resume")

    assert (resumed.status, resumed.body["next_at"]) == (200, schedule["next_at"])
    assert await told(gateway) == [("skipped", "superseded")] * 2 + [("skipped", "paused")]
    assert await asked(gateway) == 0


async def test_what_is_too_much_for_a_request_is_left_to_a_scheduler(gateway, alice, schedule):
    """Every five minutes, for three weeks: the change is refused and says what to do; then it can be made."""
    path = f"/v1/schedules/{schedule['id']}"
    await alice.call("PATCH", path, json={"cron": "*/5 * * * *"})
    await gateway.rows(ASLEEP, "21 days")

    refused = await alice.call("PATCH", path, json={"cron": "0 12 * * *"})

    assert (refused.status, refused.body["code"]) == (409, "state_conflict")
    assert "no scheduler runs" in refused.body["detail"]
    assert await told(gateway) == []
