"""A post over a window: the plan is told, kept, and refused where it cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.wishes import in_hours, messages, nothing_written

BEGIN, END = "2030-01-01T10:00:00Z", "2030-01-01T11:00:00Z"


async def test_a_distribution_follows_its_plan(gateway, alice, group, post):
    """The plan that was shown is the plan that is carried out, and its seed makes it again."""
    begin = datetime.now(UTC) + timedelta(hours=1)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(minutes=30)).isoformat()}
    wish = {"post_id": post, "group_id": group, "window": window, "min_gap_s": 60, "seed": 7}
    shown = await alice.post("/v1/distributions?dry_run=true", json=wish)
    written_by_dry_run = await gateway.count("publications")
    made = await alice.post("/v1/distributions", json=wish)

    assert (shown.status, written_by_dry_run) == (200, 0)
    assert (made.status, made.body["publications"], made.body["seed"]) == (202, 3, 7)
    assert made.body["plan"] == shown.body["plan"]
    assert {(row["priority"], row["on_time"]) for row in await messages(gateway)} == {(3, True)}
    listed = (await alice.get(f"/v1/publications?distribution_id={made.body['id']}")).body["data"]
    planned = {entry["account_id"]: entry["publish_at"] for entry in made.body["plan"]}
    assert {publication["account_id"]: publication["publish_at"] for publication in listed} == planned
    times = sorted(datetime.fromisoformat(time) for time in planned.values())
    assert begin <= times[0]
    assert times[-1] <= begin + timedelta(minutes=30)
    assert all(later - earlier >= timedelta(seconds=60) for earlier, later in pairwise(times))
    detail = (await alice.get(f"/v1/distributions/{made.body['id']}")).body
    assert detail["counts"] == {"scheduled": 3}
    assert (detail["post_id"], detail["group_id"], detail["min_gap_s"]) == (post, group, 60.0)
    assert (detail["state"], detail["paused_at"], detail["canceled_at"]) == ("planned", None, None)
    assert [entry["id"] for entry in (await alice.get("/v1/distributions")).body["data"]] == [made.body["id"]]


async def test_a_window_is_the_same_in_any_offset(alice, group, post):
    """The same moments give the same plan and the same digest, and the plan is told in UTC."""
    wish = {"post_id": post, "group_id": group, "seed": 7, "window": {"from": BEGIN, "to": END}}
    abroad = wish | {"window": {"from": "2030-01-01T12:00:00+02:00", "to": "2030-01-01T06:00:00-05:00"}}

    shown = (await alice.post("/v1/distributions?dry_run=true", json=wish)).body
    made = await alice.post("/v1/distributions", json=abroad | {"plan_digest": shown["plan_digest"]})

    assert (made.status, made.body["plan"]) == (202, shown["plan"])
    assert {entry["publish_at"][-1] for entry in made.body["plan"]} == {"Z"}


BAD_DISTRIBUTIONS: list[Any] = [
    ({"window": {"from": "2030-01-01T10:00:00", "to": END}}, 422, "timezone_required", "window.from"),
    ({"window": {"from": BEGIN, "to": "2030-01-01T11:00:00"}}, 422, "timezone_required", "window.to"),
    ({"window": {"from": "2020-01-01T10:00:00Z", "to": END}}, 422, "time_in_past", "window.from"),
    ({"window": {"from": END, "to": BEGIN}}, 422, "validation_failed", "window.to"),
    ({"window": {"from": BEGIN}}, 422, "validation_failed", "window.to"),
    ({"min_gap_s": 3600}, 422, "window_too_short", "min_gap_s"),
    ({"min_gap_s": -1}, 422, "validation_failed", "min_gap_s"),
    ({"min_gap_s": 1e300}, 422, "validation_failed", "min_gap_s"),
    ({"seed": -1}, 422, "validation_failed", "seed"),
    ({"seed": 2**63}, 422, "validation_failed", "seed"),
    ({"post_id": "01890000-0000-7000-8000-000000000000"}, 404, "not_found", None),
    ({"group_id": "01890000-0000-7000-8000-000000000000"}, 404, "not_found", None),
]


async def test_a_distribution_that_cannot_be_made_writes_nothing(gateway, alice, group, post):
    """Every fault has its code and its place."""
    wish = {"post_id": post, "group_id": group, "window": {"from": BEGIN, "to": END}}

    for fields, status, code, path in BAD_DISTRIBUTIONS:
        answer = await alice.post("/v1/distributions", json=wish | fields)

        await nothing_written(gateway, answer, status, code)
        if path is not None:
            assert answer.body["errors"][0]["path"] == path


async def test_an_empty_group_is_no_distribution(gateway, alice, post):
    """A group without accounts is told so."""
    empty = await alice.add_group([], name="nobody")
    window = {"from": in_hours(1), "to": in_hours(2)}

    answer = await alice.post("/v1/distributions", json={"post_id": post, "group_id": empty, "window": window})

    await nothing_written(gateway, answer, 422, "group_empty")


def wish_of(group, post, **fields):
    return {"post_id": post, "group_id": group, "window": {"from": in_hours(1), "to": in_hours(5)}, "seed": 3} | fields


async def test_an_account_with_no_room_is_a_conflict_that_can_be_left_out(gateway, alice, accounts, group, post):
    """Who has used up the day's quota, is paused or shows the post already is named, and refused or left out."""
    full, paused, shows = accounts
    other = await alice.add_post(caption="Another")
    await gateway.rows("UPDATE accounts SET quota_total = 1 WHERE id = $1", full)
    await alice.post(f"/v1/posts/{other}/publish", json={"account_ids": [full], "publish_at": in_hours(3)})
    there = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": [shows], "publish_at": in_hours(9)})
    await alice.post(f"/v1/accounts/{paused}/pause")
    [fourth] = await alice.add_accounts(1, first=4)
    await alice.call("PUT", f"/v1/groups/{group}/accounts/{fourth}")

    shown = await alice.post("/v1/distributions?dry_run=true", json=wish_of(group, post))
    refused = await alice.post("/v1/distributions", json=wish_of(group, post))
    skipped = await alice.post("/v1/distributions", json=wish_of(group, post, on_conflict="skip"))

    codes = {conflict["account_id"]: conflict["code"] for conflict in shown.body["conflicts"]}
    expected = {full: "capacity_exceeded", paused: "account_not_publishable", shows: "duplicate_content"}
    assert (shown.status, codes) == (200, expected)
    assert (refused.status, refused.body["code"]) == (409, "account_not_publishable")
    assert refused.body["existing_id"] == there.body["publications"][0]
    assert {fault["account_id"]: fault["code"] for fault in refused.body["errors"]} == expected
    assert (skipped.status, skipped.body["publications"]) == (202, 1)
    assert skipped.body["conflicts"] == shown.body["conflicts"]
    assert [entry["account_id"] for entry in skipped.body["plan"]] == [fourth]


async def test_a_window_in_which_nobody_can_take_part_is_refused_even_if_all_are_skipped(gateway, alice, group, post):
    """A distribution of nothing is no distribution."""
    await gateway.rows("UPDATE accounts SET quota_total = 0")

    answer = await alice.post("/v1/distributions", json=wish_of(group, post, on_conflict="skip"))

    await nothing_written(gateway, answer, 409, "capacity_exceeded")


async def test_only_the_plan_that_was_shown_is_carried_out(gateway, alice, group, post):
    """Where something changed since, the client hears of it before anything is written."""
    shown = (await alice.post("/v1/distributions?dry_run=true", json=wish_of(group, post))).body
    wish = wish_of(group, post, plan_digest=shown["plan_digest"])
    wish["window"] = {"from": BEGIN, "to": END}
    other = await alice.post("/v1/distributions", json=wish)
    await nothing_written(gateway, other, 409, "plan_changed")
    again = (await alice.post("/v1/distributions?dry_run=true", json=wish)).body
    same = await alice.post("/v1/distributions", json=wish | {"plan_digest": again["plan_digest"]})

    assert (same.status, same.body["plan"]) == (202, again["plan"])


async def test_a_key_that_is_limited_to_accounts_distributes_to_no_other(gateway, limited_to, accounts, group, post):
    """A group with an account beyond the key is refused whole."""
    some, all_three = await limited_to(accounts[:2]), await limited_to(accounts)

    refused = await some.post("/v1/distributions", json=wish_of(group, post))
    await nothing_written(gateway, refused, 403, "account_not_allowed")
    made = await all_three.post("/v1/distributions", json=wish_of(group, post))

    assert accounts[2].encode() not in refused.content
    assert made.status == 202
