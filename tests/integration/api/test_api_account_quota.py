"""How much an account may publish, and what it has published."""

from __future__ import annotations

from uuid import UUID

import pytest


@pytest.fixture
async def account(alice):
    [account_id] = await alice.add_accounts(1)
    return account_id


async def quota(alice, account):
    answer = await alice.get(f"/v1/accounts/{account}/quota")
    assert answer.status == 200, answer.body
    return answer.body


async def publish(gateway, alice, account, *, ago="1 minute"):
    made = await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json={"account_ids": [account]})
    [publication_id] = made.body["publications"]
    await gateway.rows(
        "UPDATE publications SET state = 'published', published_at = now() - $2::text::interval WHERE id = $1",
        UUID(publication_id),
        ago,
    )
    return publication_id


async def test_an_account_without_limits_may_publish_at_once(gateway, alice, account):
    """What went live in the last 24 hours is counted; nothing is invented that nobody said."""
    await publish(gateway, alice, account)
    await publish(gateway, alice, account, ago="25 hours")

    found = await quota(alice, account)

    assert (found["published_24h"], found["quota_total"], found["warmup"]) == (1, None, None)
    assert (found["next_slot_at"], found["next_slot_reason"]) == (None, None)


async def test_a_used_up_quota_names_its_end(gateway, alice, account):
    """The next slot is when the platform's window has room, as far as it is known; one that has passed is none."""
    await gateway.rows("UPDATE accounts SET quota_total = 50, quota_until = now() + interval '1 hour'")
    used_up = await quota(alice, account)
    await gateway.rows("UPDATE accounts SET quota_until = now() - interval '1 second'")
    free = await quota(alice, account)

    assert (used_up["quota_total"], used_up["next_slot_reason"]) == (50, "quota")
    assert used_up["next_slot_at"] > used_up["as_of"]
    assert free["next_slot_at"] is None


async def test_a_warm_up_tells_its_day_and_its_next_slot(gateway, alice, account):
    """Within the gap its end is the next slot, at the cap the next day; a look begins no day."""
    await alice.call("PATCH", f"/v1/accounts/{account}", json={"protocol_id": "cautious"})
    fresh = await quota(alice, account)
    await gateway.rows("UPDATE accounts SET warmup_day = 1, warmup_day_began_at = now() - interval '1 hour'")
    await publish(gateway, alice, account)
    gap = await quota(alice, account)
    await publish(gateway, alice, account, ago="40 minutes")
    cap = await quota(alice, account)

    shown = {name: fresh["warmup"][name] for name in ("protocol_id", "day", "days", "began_at", "cap", "used")}
    assert shown == {"protocol_id": "cautious", "day": 1, "days": 10, "began_at": None, "cap": 2, "used": 0}
    assert (gap["warmup"]["day"], gap["warmup"]["used"], gap["next_slot_reason"]) == (2, 1, "warmup_gap")
    assert (cap["warmup"]["used"], cap["next_slot_reason"]) == (2, "warmup_cap")
    assert cap["next_slot_at"] > gap["next_slot_at"]


async def test_a_day_that_has_passed_is_judged_and_not_begun(gateway, alice, account):
    """The next publication begins the day that is told; the last day's end lifts the cap."""
    await alice.call("PATCH", f"/v1/accounts/{account}", json={"protocol_id": "quick"})
    await publish(gateway, alice, account)
    await gateway.rows("UPDATE accounts SET warmup_day_began_at = now() - interval '25 hours'")
    passed = await quota(alice, account)
    await gateway.rows("UPDATE accounts SET warmup_day = 4")
    over = await quota(alice, account)

    assert (passed["warmup"]["day"], passed["warmup"]["began_at"]) == (2, None)
    assert over["warmup"] is None
    [row] = await gateway.rows("SELECT warmup_day, warmup_day_began_at < now() - interval '24 hours' FROM accounts")
    assert tuple(row) == (4, True)


async def test_an_accounts_publications_are_listed(gateway, alice, bob, account):
    """Its own alone, in pages, by state; another tenant finds no account."""
    [other] = await alice.add_accounts(1, first=2)
    mine = [await publish(gateway, alice, account) for _ in range(2)]
    await publish(gateway, alice, other)
    waiting = (await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json={"account_ids": [account]})).body
    path = f"/v1/accounts/{account}/publications"

    first = (await alice.get(f"{path}?limit=2&count=true")).body
    second = (await alice.get(f"{path}?limit=2&cursor={first['pagination']['next_cursor']}")).body
    published = (await alice.get(f"{path}?state=published")).body

    assert [one["id"] for one in first["data"] + second["data"]] == [*waiting["publications"], *reversed(mine)]
    assert first["pagination"]["total"] == 3
    assert [one["id"] for one in published["data"]] == list(reversed(mine))
    assert [(await bob.get(where)).status for where in (path, f"/v1/accounts/{account}/quota")] == [404, 404]
