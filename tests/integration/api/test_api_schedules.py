"""Schedules: made, shown, changed, paused and removed; the rule counts from the moment at which it was said."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.alerts import Alert, AlertCode, Severity, raise_alerts

MORNINGS = {"name": " Mornings ", "cron": "30 9 * * *", "timezone": "Europe/Berlin"}
SLOTS = [{"weekday": "mon", "time": "09:30"}, {"weekday": "thu", "time": "18:00"}]
#: What cannot be had, and where it is told.
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"cron": "every day"}, "cron"),
    ({"cron": "*/2 * * * *"}, "cron"),
    ({"cron": "30 9 * * *", "slots": SLOTS}, "cron"),
    ({"cron": None}, "cron"),
    ({"cron": None, "slots": []}, "slots"),
    ({"cron": None, "slots": [{"weekday": "mon", "time": "24:00"}]}, "slots[0].time"),
    ({"cron": None, "slots": [{"weekday": "monday", "time": "09:00"}]}, "slots[0].weekday"),
    ({"timezone": "Europe/Atlantis"}, "timezone"),
    ({"timezone": "../../etc/passwd"}, "timezone"),
    ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
    ({"starts_at": "2030-01-01T00:00:00Z", "ends_at": "2029-01-01T00:00:00Z"}, "ends_at"),
    ({"starts_at": "2027-01-01T00:00:00"}, "starts_at"),
    ({"window_s": 604_801}, "window_s"),
    ({"min_gap_s": -1}, "min_gap_s"),
    ({"max_lateness_s": 1}, "max_lateness_s"),
    ({"name": " "}, "name"),
]


@pytest.fixture
async def group(alice):
    return await alice.add_group(await alice.add_accounts(2))


@pytest.fixture
async def wish(alice, group):
    return {**MORNINGS, "group_id": group, "post_id": await alice.add_post()}


@pytest.fixture
async def schedule(alice, wish):
    made = await alice.post("/v1/schedules", json=wish)
    assert made.status == 201, made.body
    return made.body


async def change(client, schedule, **fields):
    return await client.call("PATCH", f"/v1/schedules/{schedule['id']}", json=fields)


async def row_of(gateway, schedule):
    [row] = await gateway.rows("SELECT *, now() AS now FROM schedules WHERE id = $1::text::uuid", schedule["id"])
    return row


async def audited(gateway):
    lines = await gateway.rows("SELECT action FROM audit_log WHERE subject_type = 'schedule' ORDER BY created_at, id")
    return [line["action"] for line in lines]


async def told(gateway):
    rows = await gateway.rows("SELECT payload FROM events WHERE type = 'schedule.changed' ORDER BY seq")
    return [json.loads(row["payload"])["action"] for row in rows]


async def test_a_schedule_is_as_it_was_said_with_its_next_time(gateway, alice, schedule, wish):
    """What was left out has its default, and the next time is told in UTC and on the zone's clock."""
    assert schedule["name"] == "Mornings"
    assert {name: schedule[name] for name in ("cron", "timezone", "group_id", "post_id")} == {
        name: wish[name] for name in ("cron", "timezone", "group_id", "post_id")
    }
    defaults = {"dst_gap": "shift", "dst_overlap": "first", "misfire": "once", "window_s": 0, "max_lateness_s": 21_600}
    assert {name: schedule[name] for name in defaults} == defaults
    assert (schedule["state"], schedule["error"], schedule["slots"], schedule["account_id"]) == ("active", *[None] * 3)
    assert schedule["next_local"][10:16] == "T09:30"
    moments = [datetime.fromisoformat(schedule[name]) for name in ("next_at", "next_local")]
    assert moments[0] == moments[1] > datetime.now(UTC)
    row = await row_of(gateway, schedule)
    assert row["made_until"] == row["created_at"]
    assert await audited(gateway) == await told(gateway) == ["schedule.created"]
    assert (await alice.get(f"/v1/schedules/{schedule['id']}")).body == schedule


async def test_times_of_the_week_of_one_account_and_a_queue(alice):
    """Slots instead of cron, an account instead of a group, a queue instead of a post."""
    [account] = await alice.add_accounts(1, first=9)
    queue = (await alice.post("/v1/post-queues", json={"name": "Q"})).body["id"]
    own = {"name": "Own", "slots": SLOTS, "timezone": "Asia/Kolkata", "account_id": account, "post_queue_id": queue}

    made = await alice.post("/v1/schedules", json=own)

    assert made.status == 201, made.body
    assert (made.body["slots"], made.body["cron"]) == (SLOTS, None)
    assert (made.body["account_id"], made.body["post_queue_id"]) == (account, queue)
    assert made.body["next_local"].endswith("+05:30")


async def test_a_dry_run_shows_the_times_and_writes_nothing(gateway, alice, wish):
    """What could not be made is refused all the same."""
    shown = await alice.post("/v1/schedules?dry_run=true", json=wish)
    refused = await alice.post("/v1/schedules?dry_run=true", json={**wish, "cron": "* * * * *"})

    assert (shown.status, len(shown.body["times"])) == (200, 10)
    assert {time["local"][10:16] for time in shown.body["times"]} == {"T09:30"}
    assert (refused.status, refused.body["errors"][0]["path"]) == (422, "cron")
    assert await gateway.count("schedules") == await gateway.count("audit_log WHERE action ~ 'schedule'") == 0


async def test_the_preview_tells_each_time_and_what_is_skipped(alice, wish):
    """Local time with its offset, UTC, the wall time that the rule names, and why one does not come; paused or not."""
    zone = {"timezone": "Europe/Berlin", "slots": [{"weekday": "sun", "time": "02:30"}], "dst_gap": "skip"}
    fields = {name: value for name, value in wish.items() if name != "cron"}
    made = (await alice.post("/v1/schedules", json={**fields, **zone})).body
    await alice.post(f"/v1/schedules/{made['id']}/pause")

    preview = (await alice.get(f"/v1/schedules/{made['id']}/preview?count=60")).body

    assert (preview["timezone"], len(preview["times"])) == ("Europe/Berlin", 60)
    [skipped] = [time for time in preview["times"] if time["skipped"]]
    assert (skipped["slot"], skipped["reason"], skipped["local"][10:]) == ("02:30", "dst_gap", "T03:30:00+02:00")
    assert skipped["due_at"].endswith("T01:30:00Z")
    assert skipped["local_date"] == skipped["local"][:10]
    assert len((await alice.get(f"/v1/schedules/{made['id']}/preview")).body["times"]) == 10
    for count in ("0", "101", "many"):
        refused = await alice.get(f"/v1/schedules/{made['id']}/preview?count={count}")
        assert (refused.status, refused.body["errors"][0]["path"]) == (422, "count")


async def test_what_cannot_be_had_is_refused_where_it_stands(alice, wish, schedule):
    """Of a new schedule and of a change alike; nothing is written."""
    for fields, path in REFUSED:
        for answer in (
            await alice.post("/v1/schedules", json={**wish, **fields}),
            await change(alice, schedule, **fields),
        ):
            assert (answer.status, answer.body["errors"][0]["path"]) == (422, path), answer.body

    assert (await alice.get("/v1/schedules")).body["data"] == [schedule]


async def test_who_and_what_is_said_exactly_once(alice, wish, schedule):
    """An account or a group, a post or a queue: never both, never neither."""
    both = [{**wish, "account_id": schedule["group_id"]}, {**wish, "post_queue_id": schedule["post_id"]}]
    neither = [{**wish, "group_id": None}, {**wish, "post_id": None}]

    refused = [await alice.post("/v1/schedules", json=body) for body in (*both, *neither)]

    assert [(answer.status, answer.body["errors"][0]["path"]) for answer in refused] == [
        (422, "account_id"),
        (422, "post_id"),
    ] * 2


async def test_what_another_tenant_has_is_not_there(alice, bob, wish):
    """Account, group, post and queue are looked for among one's own."""
    [account] = await bob.add_accounts(1, first=9)
    theirs = {
        ("account_id", "group_id"): account,
        ("group_id", "account_id"): await bob.add_group([account]),
        ("post_id", "post_queue_id"): await bob.add_post(),
        ("post_queue_id", "post_id"): (await bob.post("/v1/post-queues", json={"name": "Q"})).body["id"],
    }

    for (name, instead_of), value in theirs.items():
        refused = await alice.post("/v1/schedules", json={**wish, instead_of: None, name: value})
        assert (refused.status, refused.body["errors"][0]["path"]) == (404, name)


async def test_another_rule_counts_from_now(gateway, alice, schedule):
    """What is due is computed anew after the change; a change of anything else leaves it."""
    await gateway.rows(
        "UPDATE schedules SET made_until = now() - interval '3 days', next_at = now() - interval '1 day'"
    )
    renamed = await change(alice, schedule, name="Other", window_s=600)
    before = await row_of(gateway, schedule)

    moved = await change(alice, schedule, timezone="Asia/Tokyo")

    after = await row_of(gateway, schedule)
    assert (renamed.status, renamed.body["name"], renamed.body["window_s"]) == (200, "Other", 600)
    assert before["now"] - before["made_until"] > timedelta(days=2)
    assert moved.body["next_local"][10:] == "T09:30:00+09:00"
    assert after["updated_at"] == after["made_until"] < after["next_at"]
    assert await audited(gateway) == await told(gateway) == ["schedule.created", *["schedule.changed"] * 2]


async def test_one_of_a_pair_takes_the_place_of_the_other(alice, schedule):
    """Slots for cron, an account for a group, a queue for a post; what is named with null must be replaced."""
    [account] = await alice.add_accounts(1, first=9)
    queue = (await alice.post("/v1/post-queues", json={"name": "Q"})).body["id"]

    changed = await change(alice, schedule, slots=SLOTS, account_id=account, post_queue_id=queue)
    bare = await change(alice, schedule, post_queue_id=None)

    shown = changed.body
    assert (shown["cron"], shown["slots"], shown["group_id"], shown["post_id"]) == (None, SLOTS, None, None)
    assert (shown["account_id"], shown["post_queue_id"]) == (account, queue)
    assert (bare.status, bare.body["errors"][0]["path"]) == (422, "post_id")


async def test_a_change_that_changes_nothing_writes_nothing(gateway, alice, schedule):
    """The same said again leaves row, log and events."""
    again = await change(alice, schedule, name="Mornings", cron=MORNINGS["cron"], group_id=schedule["group_id"])
    late = await alice.call(
        "PATCH", f"/v1/schedules/{schedule['id']}", json={"name": "x"}, headers={"If-Match": '"of long ago"'}
    )

    assert (again.status, again.body) == (200, schedule)
    assert (late.status, late.body["code"]) == (412, "version_mismatch")
    assert await audited(gateway) == ["schedule.created"]


async def test_a_pause_ends_with_what_is_due_from_then_on(gateway, alice, schedule):
    """What was due meanwhile is not made up for; a second pause does no harm, and without one there is no resuming."""
    path = f"/v1/schedules/{schedule['id']}"
    early = await alice.post(f"{path}/resume")
    paused = await alice.post(f"{path}/pause")
    again = await alice.post(f"{path}/pause")
    await gateway.rows(
        "UPDATE schedules SET made_until = now() - interval '3 days', next_at = now() - interval '3 days'"
    )

    resumed = await alice.post(f"{path}/resume")

    assert (early.status, early.body["code"]) == (409, "state_conflict")
    assert (paused.body["state"], paused.body["next_at"], paused.body["next_local"]) == ("paused", None, None)
    assert again.body == paused.body
    assert {name: value for name, value in resumed.body.items() if name != "updated_at"} == {
        name: value for name, value in schedule.items() if name != "updated_at"
    }
    row = await row_of(gateway, schedule)
    assert row["made_until"] == row["updated_at"]
    assert await told(gateway) == ["schedule.created", "schedule.paused", "schedule.resumed"]


async def test_a_broken_schedule_is_mended_and_resumed(gateway, alice, schedule):
    """While it lacks something it is not resumed; it can be renamed; its alert is over when it goes on."""
    path = f"/v1/schedules/{schedule['id']}"
    await gateway.rows("UPDATE schedules SET paused_at = now(), error = 'x', timezone = 'Mars/Olympus'")
    alert = Alert(
        user_id=UUID(alice.user_id),
        code=AlertCode.SCHEDULE_BROKEN,
        severity=Severity.CRITICAL,
        subject_type="schedule",
        subject_id=UUID(schedule["id"]),
        text="It is broken.",
        advice="Mend it.",
    )
    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await raise_alerts(connection, [alert])

    unmended = [await alice.post(f"{path}/resume"), await alice.get(f"{path}/preview")]
    renamed = await change(alice, schedule, name="Renamed")
    mended = await change(alice, schedule, timezone="Asia/Tokyo")
    resumed = await alice.post(f"{path}/resume")

    assert {(answer.status, answer.body["errors"][0]["path"]) for answer in unmended} == {(422, "timezone")}
    assert (renamed.body["state"], renamed.body["error"], renamed.body["name"]) == ("broken", "x", "Renamed")
    assert (mended.body["state"], mended.body["next_at"]) == ("broken", None)
    assert (resumed.body["state"], resumed.body["error"]) == ("active", None)
    assert resumed.body["next_local"].endswith("+09:00")
    assert [row["state"] for row in await gateway.rows("SELECT state FROM alerts")] == ["resolved"]


async def test_a_removed_schedule_is_gone_and_what_it_made_stays(gateway, alice, bob, schedule):
    """Its alert is over with it."""
    path = f"/v1/schedules/{schedule['id']}"

    foreign = await bob.call("DELETE", path)
    removed = await alice.call("DELETE", path)

    assert (foreign.status, removed.status) == (404, 204)
    gone = [await alice.get(f"{path}{more}") for more in ("", "/preview", "/occurrences")]
    gone += [await alice.post(f"{path}/pause"), await alice.call("DELETE", path), await change(alice, schedule)]
    assert {answer.status for answer in gone} == {404}
    assert (await alice.get("/v1/schedules")).body["data"] == []
    assert (await row_of(gateway, schedule))["removed_at"] is not None
    assert await told(gateway) == ["schedule.created", "schedule.removed"]
