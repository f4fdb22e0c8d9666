"""What a schedule needs is not removed under it: who removes it is told, or the schedule is stopped and says why."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from uuid import UUID

import pytest

from services.api.schedules.dependents import lock_dependents
from tests.waiting import until

RULE = {"name": "S", "cron": "0 9 * * *", "timezone": "UTC"}
PATHS = {"account_id": "accounts", "group_id": "groups", "post_id": "posts", "post_queue_id": "post-queues"}


@pytest.fixture
async def needs(alice):
    """One of each that a schedule may name."""
    [account] = await alice.add_accounts(1)
    return {
        "account_id": account,
        "group_id": await alice.add_group([account]),
        "post_id": await alice.add_post(),
        "post_queue_id": (await alice.post("/v1/post-queues", json={"name": "Q"})).body["id"],
    }


async def schedule(client, needs, name):
    """A schedule that needs it, and the path of what it needs."""
    target = name if name in {"account_id", "group_id"} else "group_id"
    content = name if name in {"post_id", "post_queue_id"} else "post_id"
    fields = {one: needs[one] for one in (target, content)}
    made = await client.post("/v1/schedules", json={**RULE, **fields})
    assert made.status == 201, made.body
    return made.body, f"/v1/{PATHS[name]}/{needs[name]}"


@pytest.mark.parametrize("name", PATHS)
async def test_what_a_schedule_needs_is_kept_or_the_schedule_stopped(gateway, alice, needs, name):
    """The refusal names the schedule; with `cancel` it is stopped, mended with another, and resumed."""
    made, path = await schedule(alice, needs, name)
    shown = f"/v1/schedules/{made['id']}"
    refused = await alice.call("DELETE", path)
    untouched = (await alice.get(shown)).body

    removed = await alice.call("DELETE", f"{path}?cancel=true")

    assert (refused.status, refused.body["code"]) == (409, "in_use")
    assert [fault["existing_id"] for fault in refused.body["errors"]] == [made["id"]]
    assert untouched == made
    assert removed.status in {200, 204}
    assert removed.status == 204 or removed.body["paused_schedules"] == 1
    broken = (await alice.get(shown)).body
    what = name.removesuffix("_id").replace("_", " ")
    assert broken["state"] == "broken"
    assert broken["error"].startswith(f"its {what} was removed; ")
    [event] = await gateway.rows("SELECT payload FROM events WHERE type = 'schedule.changed' ORDER BY seq OFFSET 1")
    assert json.loads(event["payload"]) == {"action": "schedule.stopped", "error": broken["error"]}
    early = await alice.post(f"{shown}/resume")
    assert (early.status, early.body["code"]) == (409, "state_conflict")
    other = {"account_id": "group_id", "group_id": "account_id", "post_id": "post_queue_id", "post_queue_id": "post_id"}
    mended = await alice.call("PATCH", shown, json={other[name]: needs[other[name]]})
    assert mended.status == 200, mended.body
    assert (await alice.post(f"{shown}/resume")).body["state"] == "active"


async def test_a_schedule_that_has_ended_or_was_removed_needs_nothing(gateway, alice, needs):
    """It refuses no removal, and stays as it is."""
    ended, path = await schedule(alice, needs, "group_id")
    removed, _ = await schedule(alice, needs, "group_id")
    await gateway.rows("UPDATE schedules SET next_at = NULL WHERE id = $1", UUID(ended["id"]))
    await alice.call("DELETE", f"/v1/schedules/{removed['id']}")

    gone = await alice.call("DELETE", path)

    assert gone.status == 204
    shown = (await alice.get(f"/v1/schedules/{ended['id']}")).body
    assert (shown["state"], shown["error"], shown["group_id"]) == ("ended", None, None)


async def test_the_first_of_many_schedules_are_named_and_all_are_stopped(alice, needs):
    """Beside the publications that wait, with how many there are."""
    for _ in range(6):
        await schedule(alice, needs, "account_id")
    body = {"account_ids": [needs["account_id"]], "publish_at": "2099-01-01T00:00:00Z"}
    await alice.post(f"/v1/posts/{needs['post_id']}/publish", json=body)
    path = f"/v1/accounts/{needs['account_id']}"

    refused = await alice.call("DELETE", path)
    removed = await alice.call("DELETE", f"{path}?cancel=true")

    messages = [fault["message"] for fault in refused.body["errors"]]
    assert messages[0].startswith("1 publication(s)")
    assert [message.partition(", ")[0] for message in messages[1:]] == ["6 schedule(s) use it"] * 5
    assert removed.body == {"canceled": 1, "in_flight": [], "sent": [], "paused_schedules": 6}


async def test_a_limited_key_removes_no_post_that_is_planned(alice, needs):
    """Neither one that a schedule repeats nor one that waits in a queue: they concern accounts that it may not see."""
    waiting = await alice.add_post()
    await schedule(alice, needs, "post_id")
    await alice.post(f"/v1/post-queues/{needs['post_queue_id']}/posts", json={"post_ids": [waiting]})
    key = {"name": "limited", "scopes": ["read", "write"], "account_ids": [needs["account_id"]]}
    limited = replace(alice, api_key=(await alice.post("/v1/api-keys", json=key)).body["key"])

    refused = [await limited.call("DELETE", f"/v1/posts/{post}?cancel=true") for post in (needs["post_id"], waiting)]

    assert {(answer.status, answer.body["code"]) for answer in refused} == {(403, "account_not_allowed")}
    assert (await alice.get(f"/v1/posts/{waiting}")).status == 200


@pytest.mark.parametrize("name", ["post_id", "group_id", "post_queue_id", "account_id"])
async def test_no_schedule_is_made_beside_a_removal(gateway, alice, needs, name):
    """One that names what is being removed waits for that, and then finds it gone."""
    target = {"account_id": "post_id", "group_id": "post_id"}.get(name, "group_id")
    fields = {one: needs[one] for one in (name, target)}
    table = PATHS[name].replace("-", "_")
    user_id = UUID(alice.user_id)

    async def someone_waits():
        return await gateway.rows(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )

    async with gateway.deps.pool.acquire() as connection:
        async with connection.transaction():
            await connection.fetch(f"SELECT 1 FROM {table} WHERE id = $1 FOR UPDATE", UUID(needs[name]))  # noqa: S608
            assert await lock_dependents(connection, UUID(needs[name]), user_id=user_id) == []
            making = asyncio.create_task(alice.post("/v1/schedules", json={**RULE, **fields}))
            await until(someone_waits, what="the new schedule to wait for the removal")
            gone = "UPDATE {} SET removed_at = now() WHERE id = $1"
            if name in {"group_id", "post_queue_id"}:
                gone = "DELETE FROM {} WHERE id = $1"
            await connection.execute(gone.format(table), UUID(needs[name]))
        answer = await making

    assert (answer.status, answer.body["errors"][0]["path"]) == (404, name)
    assert await gateway.count("schedules") == 0
