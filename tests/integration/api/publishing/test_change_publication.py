"""Publications in lists, at another time, and for keys that are limited to some accounts."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from tests.wishes import in_hours, messages


@pytest.fixture
async def made(alice, accounts, post):
    """Three publications, in hours 1, 2 and 3."""
    ids = []
    for hour, account_id in enumerate(accounts, start=1):
        wish = {"account_ids": [account_id], "publish_at": in_hours(hour)}
        ids += (await alice.post(f"/v1/posts/{post}/publish", json=wish)).body["publications"]
    return ids


async def change(client, publication_id, **fields):
    headers = fields.pop("headers", {})
    return await client.call("PATCH", f"/v1/publications/{publication_id}", json=fields, headers=headers)


async def test_publications_are_listed_by_time_and_group(alice, accounts, made):
    """A calendar has the order of its times, page by page; a group shows its members' alone."""
    group = await alice.add_group(accounts[:2], name="some")

    first = (await alice.get("/v1/publications?sort=publish_at&limit=2&count=true")).body
    rest = (await alice.get(f"/v1/publications?sort=publish_at&cursor={first['pagination']['next_cursor']}")).body
    back = (await alice.get("/v1/publications?sort=-publish_at")).body
    of_group = (await alice.get(f"/v1/publications?group_id={group}&sort=created_at")).body

    assert [one["id"] for one in first["data"] + rest["data"]] == made
    assert first["pagination"]["total"] == 3
    assert [one["id"] for one in back["data"]] == made[::-1]
    assert [one["id"] for one in of_group["data"]] == made[:2]


async def test_a_publication_is_moved_to_another_time_as_a_new_revision(gateway, alice, made):
    """Row and message move together, tries and containers begin anew, and the media are looked at before."""
    await gateway.rows("UPDATE publications SET attempt = 2, step = 'container_created', container_id = '1'")
    await gateway.rows("DELETE FROM outbox WHERE type = 'media:check'")
    later = in_hours(30)

    answer = await change(alice, made[0], publish_at=later, max_lateness_s=600)

    assert answer.status == 200, answer.body
    assert datetime.fromisoformat(answer.body["publish_at"]) == datetime.fromisoformat(later)
    assert (answer.body["revision"], answer.body["attempt"], answer.body["max_lateness_s"]) == (2, 0, 600)
    assert (answer.body["state"], answer.body["reason"]) == ("scheduled", "rescheduled_by_user")
    [row] = await gateway.rows("SELECT step, container_id FROM publications WHERE id = $1", made[0])
    assert (row["step"], row["container_id"]) == (None, None)
    [message] = [message for message in await messages(gateway) if message["subject"] == made[0]]
    assert (message["on_time"], json.loads(message["payload"])["revision"]) == (True, 2)
    assert await gateway.rows("SELECT 1 FROM outbox WHERE type = 'media:check'")
    [line] = await gateway.rows("SELECT before, after FROM audit_log WHERE action = 'publication.changed'")
    assert [json.loads(line[side])["revision"] for side in ("before", "after")] == [1, 2]


async def test_what_is_held_is_moved_and_stays_held(gateway, alice, made):
    """It is due at the new time once it is released, and nothing wakes it before."""
    await gateway.rows("UPDATE publications SET state = 'held', reason = 'account_paused'")
    await gateway.rows("DELETE FROM outbox")

    answer = await change(alice, made[0], publish_at=in_hours(5))

    assert (answer.body["state"], answer.body["reason"], answer.body["revision"]) == ("held", "account_paused", 2)
    assert await messages(gateway) == []


async def test_a_change_that_changes_nothing_makes_no_revision(alice, made):
    """The message that waits stays valid."""
    before = (await alice.get(f"/v1/publications/{made[0]}")).body

    empty = await change(alice, made[0])
    same = await change(alice, made[0], publish_at=before["publish_at"])

    assert empty.body == same.body == before


@pytest.mark.parametrize(
    ("state", "step", "code"),
    [
        ("publishing", None, "state_conflict"),
        ("published", None, "state_conflict"),
        ("canceled", None, "state_conflict"),
        ("scheduled", "publish_sent", "outcome_unresolved"),
    ],
)
async def test_what_does_not_wait_is_not_moved(gateway, alice, made, state, step, code):
    """What a worker has, what has ended, and what may be live stay as they are."""
    lease = "lease_until = now() + interval '1 hour', lease_owner = 'w1'," if state == "publishing" else ""
    await gateway.rows(
        f"UPDATE publications SET {lease} state = $2, step = $3, container_id = '1', publish_sent_at = now()"  # noqa: S608 - of a test
        " WHERE id = $1",
        made[0],
        state,
        step,
    )

    answer = await change(alice, made[0], publish_at=in_hours(5))

    assert (answer.status, answer.body["code"]) == (409, code), answer.body


async def test_a_time_that_is_past_or_none_is_refused(alice, made):
    """And so is a change by whoever has seen another version."""
    seen = await alice.get(f"/v1/publications/{made[0]}")
    first = await change(alice, made[0], publish_at=in_hours(5), headers={"If-Match": seen.headers["ETag"]})

    past = await change(alice, made[0], publish_at="2020-01-01T00:00:00Z")
    naive = await change(alice, made[0], publish_at="2030-01-01T00:00:00")
    stale = await change(alice, made[0], publish_at=in_hours(6), headers={"If-Match": seen.headers["ETag"]})

    assert first.status == 200, first.body
    assert (past.status, past.body["code"]) == (422, "time_in_past")
    assert (naive.status, naive.body["code"]) == (422, "timezone_required")
    assert (stale.status, stale.body["code"]) == (412, "version_mismatch")


async def test_a_limited_key_sees_and_changes_the_publications_of_its_accounts(alice, limited_to, accounts, made):
    """All others are as if they were not there."""
    some = await limited_to(accounts[:1])
    others = f"/v1/publications/{made[1]}"

    listed = (await some.get("/v1/publications?count=true")).body
    own = await change(some, made[0], publish_at=in_hours(7))
    refused = [
        await some.get(others),
        await some.get(f"{others}/attempts"),
        await change(some, made[1], publish_at=in_hours(7)),
        await some.post(f"{others}/cancel"),
        await some.post(f"{others}/retry"),
        await some.post(f"{others}/resolve", json={"outcome": "failed"}),
    ]

    assert ([one["id"] for one in listed["data"]], listed["pagination"]["total"]) == (made[:1], 1)
    assert own.status == 200, own.body
    assert {answer.status for answer in refused} == {404}
    assert (await alice.get(others)).body["state"] == "scheduled"
