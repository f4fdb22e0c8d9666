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
    assert [entry["id"] for entry in (await alice.get("/v1/distributions")).body["data"]] == [made.body["id"]]


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
