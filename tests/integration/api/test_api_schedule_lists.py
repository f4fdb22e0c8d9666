"""Lists of schedules, of what became of their due times, and of the distributions that they made."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

_OCCURRED = """
    INSERT INTO schedule_occurrences (
        id, user_id, schedule_id, local_date, slot, due_at, state, reason, conflicts, conflict_count
    )
    SELECT gen_random_uuid(), user_id, id, date '2026-01-01' + n, '09:30',
           timestamptz '2026-01-01 08:30Z' + n * interval '1 day',
           CASE WHEN n = 2 THEN 'skipped' ELSE 'distributed' END, CASE WHEN n = 2 THEN 'paused' END,
           jsonb_build_array(jsonb_build_object('account_id', $2::text, 'code', 'duplicate_content')), 1
    FROM schedules, generate_series(1, 3) AS n
    WHERE id = $1
"""
_DISTRIBUTED = """
    INSERT INTO distributions (id, user_id, post_id, group_id, window_from, window_to, min_gap_s, seed, schedule_id)
    SELECT $2, user_id, post_id, group_id, now(), now(), 0, 1, id FROM schedules WHERE id = $1
"""


@pytest.fixture
async def schedules(alice):
    """One of a group and a post, one of an account and a queue."""
    [account] = await alice.add_accounts(1)
    queue = (await alice.post("/v1/post-queues", json={"name": "Q"})).body["id"]
    targets = (
        {"group_id": await alice.add_group([account]), "post_id": await alice.add_post()},
        {"account_id": account, "post_queue_id": queue},
    )
    rule = {"name": "S", "cron": "0 9 * * *", "timezone": "UTC"}
    made = [await alice.post("/v1/schedules", json={**rule, **target}) for target in targets]
    assert [answer.status for answer in made] == [201, 201]
    return [answer.body for answer in made]


async def ids(client, path):
    answer = await client.get(path)
    assert answer.status == 200, answer.body
    return [row["id"] for row in answer.body["data"]]


async def test_schedules_are_found_by_what_they_need_and_by_state(gateway, alice, bob, schedules):
    """Filters may be combined; either order goes on by cursors; another tenant sees none."""
    first, second = [schedule["id"] for schedule in schedules]
    await alice.post(f"/v1/schedules/{first}/pause")

    assert await ids(alice, "/v1/schedules") == [second, first]
    assert await ids(alice, "/v1/schedules?sort=created_at") == [first, second]
    for name in ("group_id", "post_id"):
        assert await ids(alice, f"/v1/schedules?{name}={schedules[0][name]}") == [first]
    for name in ("account_id", "post_queue_id"):
        assert await ids(alice, f"/v1/schedules?{name}={schedules[1][name]}&state=active") == [second]
    assert await ids(alice, "/v1/schedules?state=paused") == [first]
    await gateway.rows("UPDATE schedules SET next_at = NULL WHERE id = $1", UUID(second))
    assert await ids(alice, "/v1/schedules?state=ended") == [second]
    page = (await alice.get("/v1/schedules?limit=1&count=true")).body["pagination"]
    assert page["total"] == 2
    assert await ids(alice, f"/v1/schedules?limit=1&cursor={page['next_cursor']}") == [first]
    assert await ids(bob, "/v1/schedules") == []


async def test_what_became_of_due_times_is_told_the_last_first(gateway, alice, bob, schedules):
    """In pages, by state, with the accounts that had no part; of one's own schedule alone."""
    schedule, account = schedules[0], schedules[1]["account_id"]
    path = f"/v1/schedules/{schedule['id']}/occurrences"
    await gateway.rows(_OCCURRED, UUID(schedule["id"]), account)

    page = (await alice.get(f"{path}?limit=2")).body
    rest = (await alice.get(f"{path}?limit=2&cursor={page['pagination']['next_cursor']}")).body

    dates = [row["local_date"] for row in [*page["data"], *rest["data"]]]
    assert dates == ["2026-01-04", "2026-01-03", "2026-01-02"]
    assert page["data"][0]["conflicts"] == [{"account_id": account, "code": "duplicate_content"}]
    [skipped] = (await alice.get(f"{path}?state=skipped")).body["data"]
    assert (skipped["local_date"], skipped["reason"], skipped["schedule_id"]) == (
        "2026-01-03",
        "paused",
        schedule["id"],
    )
    assert await ids(alice, f"/v1/schedules/{schedules[1]['id']}/occurrences") == []
    assert (await bob.get(path)).status == 404


async def test_distributions_tell_which_schedule_made_them(gateway, alice, schedules):
    """And are found by it."""
    schedule, made = schedules[0], uuid4()
    await gateway.rows(_DISTRIBUTED, UUID(schedule["id"]), made)

    found = (await alice.get(f"/v1/distributions?schedule_id={schedule['id']}")).body["data"]

    assert [(one["id"], one["schedule_id"]) for one in found] == [(str(made), schedule["id"])]
    assert (await alice.get(f"/v1/distributions/{made}")).body == found[0]
    assert await ids(alice, f"/v1/distributions?schedule_id={schedules[1]['id']}") == []
