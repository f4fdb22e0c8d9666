"""What follows from an account's health, as clients see it, and how a person overrides it."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest

_REASON = "The failures were the platform's, and are over."
_SCORE = """
    INSERT INTO health_scores (
        account_id, user_id, score, band, confidence, components, gates, reasons, formula_version, computed_at
    )
    SELECT id, user_id, 10, $2, 1, '{}', '{}', '[]', 2, now() FROM accounts WHERE id = $1
"""


@pytest.fixture
async def account(alice):
    [account_id] = await alice.add_accounts(1)
    return account_id


async def judge(gateway, account_id, caution, band="critical"):
    """As the health service writes it, and voids what is cached."""
    [row] = await gateway.rows(
        "UPDATE accounts SET caution = $2 WHERE id = $1 RETURNING user_id", UUID(account_id), caution
    )
    await gateway.rows(_SCORE, UUID(account_id), band)
    await gateway.deps.cache.invalidate_account(account_id, user_id=row["user_id"])


async def publish(alice, account_ids, **wishes):
    body = {"account_ids": account_ids, **wishes}
    return await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json=body)


async def override(alice, account_id, *, hours=24, reason=_REASON, **request):
    body = {"hours": hours, "reason": reason}
    return await alice.post(f"/v1/accounts/{account_id}/health/override", json=body, **request)


async def told(gateway):
    rows = await gateway.rows("SELECT payload FROM events WHERE type = 'account.caution' ORDER BY tx, seq")
    return [json.loads(row["payload"]) for row in rows]


async def test_a_critical_account_shows_that_it_is_held_and_why(gateway, alice, account):
    """The account, its list and its health say the same; another version of it has another tag."""
    before = await alice.get(f"/v1/accounts/{account}")
    await judge(gateway, account, "held")
    after = await alice.get(f"/v1/accounts/{account}")
    [listed] = (await alice.get("/v1/accounts")).body["data"]
    health = (await alice.get(f"/v1/accounts/{account}/health")).body

    assert (after.body["can_publish"], after.body["held_because"]) == (False, "health_critical")
    assert listed == after.body
    assert after.headers["ETag"] != before.headers["ETag"]
    assert (health["caution"], health["caution_waived_until"]) == ("held", None)


async def test_an_override_lets_go_what_was_held_and_keeps_who_and_why(gateway, alice, account):
    """Publications, account, health, event and audit line: in one transaction, and told at once."""
    [held] = (await publish(alice, [account])).body["publications"]
    await judge(gateway, account, "held")
    await gateway.rows("UPDATE publications SET state = 'held', reason = 'health_critical'")
    answer = await override(alice, account)
    shown = (await alice.get(f"/v1/accounts/{account}")).body
    health = (await alice.get(f"/v1/accounts/{account}/health")).body
    publication = (await alice.get(f"/v1/publications/{held}")).body
    [line] = await gateway.rows("SELECT * FROM audit_log WHERE action = 'account.health_overridden'")
    before, after = json.loads(line["before"]), json.loads(line["after"])

    assert (answer.status, answer.body["caution"], answer.body["released"]) == (200, "none", 1)
    assert (publication["state"], publication["reason"]) == ("scheduled", "released")
    assert (shown["can_publish"], shown["held_because"]) == (True, None)
    assert (health["caution"], health["caution_waived_until"]) == ("none", answer.body["caution_waived_until"])
    assert (before["caution"], after["caution"], after["reason"]) == ("held", "none", _REASON)
    [event] = await told(gateway)
    assert (event["caution"], event["band"]) == ("none", "critical")


async def test_an_override_lasts_as_long_as_was_said(gateway, alice, account):
    """By the database's clock; said again, it is as long as was said last."""
    await override(alice, account, hours=720)
    await override(alice, account, hours=1)
    [row] = await gateway.rows("SELECT caution_waived_until - now() AS left FROM accounts")

    assert 3500 < row["left"].total_seconds() <= 3600


async def test_what_waited_for_half_of_the_cap_goes_on(gateway, alice, account):
    """The cap is whole again for as long as it is overridden."""
    await publish(alice, [account])
    await judge(gateway, account, "halved", band="at_risk")
    await gateway.rows("UPDATE publications SET reason = 'health_cap', next_attempt_at = now() + interval '20 hours'")
    answer = await override(alice, account)
    [row] = await gateway.rows("SELECT reason, next_attempt_at <= now() AS is_due FROM publications")

    assert answer.body["released"] == 1
    assert tuple(row) == ("released", True)


async def test_the_end_of_an_override_puts_its_health_in_force_again(gateway, alice, account):
    """Told once; ending what is over changes nothing, and says how it stands."""
    await judge(gateway, account, "held")
    await override(alice, account)
    path = f"/v1/accounts/{account}/health/override"
    ended, again = await alice.call("DELETE", path), await alice.call("DELETE", path)
    shown = (await alice.get(f"/v1/accounts/{account}")).body

    assert ended.status == again.status == 200
    assert ended.body == again.body
    assert (ended.body["caution"], ended.body["caution_waived_until"]) == ("held", None)
    assert shown["held_because"] == "health_critical"
    assert [event["caution"] for event in await told(gateway)] == ["none", "held"]
    lines = await gateway.rows("SELECT action FROM audit_log WHERE action LIKE 'account.health%' ORDER BY id")
    assert [line["action"] for line in lines] == ["account.health_overridden", "account.health_override_ended"]


@pytest.mark.parametrize(
    ("wishes", "path"),
    [({"hours": 0}, "hours"), ({"hours": 721}, "hours"), ({"reason": ""}, "reason"), ({"reason": "  "}, "reason")],
)
async def test_an_override_without_a_length_or_a_reason_is_refused(gateway, alice, account, wishes, path):
    """Nothing is written then."""
    refused = await override(alice, account, **wishes)

    assert (refused.status, refused.body["errors"][0]["path"]) == (422, path)
    assert await gateway.rows("SELECT 1 FROM accounts WHERE caution_waived_until IS NOT NULL") == []


async def test_nobody_overrides_what_they_do_not_own(alice, bob, account):
    """Another tenant finds no account, and neither does a key that is limited to another."""
    [other] = await alice.add_accounts(1, first=2)
    key = await alice.post("/v1/api-keys", json={"name": "one", "scopes": ["read", "write"], "account_ids": [other]})
    limited = replace(alice, api_key=key.body["key"])

    assert [(await override(who, account)).status for who in (bob, limited)] == [404, 404]
    assert (await limited.call("DELETE", f"/v1/accounts/{account}/health/override")).status == 404
    assert (await override(limited, other)).status == 200


async def test_an_account_at_risk_gets_nothing_new_from_distributions_and_all_from_people(gateway, alice, account):
    """A distribution leaves it out and says why; what a person sends to it goes."""
    await judge(gateway, account, "halved", band="at_risk")
    group = await alice.add_group([account])
    window = {"from": "2035-02-01T12:00:00Z", "to": "2035-02-01T13:00:00Z"}
    body = {"post_id": await alice.add_post(), "group_id": group, "window": window}
    distributed = await alice.post("/v1/distributions", json=body)
    direct = await publish(alice, [account])

    assert (distributed.status, distributed.body["code"]) == (409, "account_not_publishable")
    assert "at risk" in distributed.body["errors"][0]["message"]
    assert direct.status == 202


async def test_what_failed_of_a_distribution_is_tried_again_for_an_account_at_risk(gateway, alice, account):
    """It is nothing new."""
    group = await alice.add_group([account])
    window = {"from": "2035-02-01T12:00:00Z", "to": "2035-02-01T13:00:00Z"}
    body = {"post_id": await alice.add_post(), "group_id": group, "window": window}
    made = (await alice.post("/v1/distributions", json=body)).body
    await gateway.rows("UPDATE publications SET state = 'failed'")
    await judge(gateway, account, "halved", band="at_risk")
    retried = await alice.post(f"/v1/distributions/{made['id']}/retry-failed", json={})

    assert (retried.body["retried"], retried.body["conflicts"]) == (1, [])


async def test_nothing_is_sent_to_a_critical_account_by_hand(gateway, alice, account):
    """It would be held; overridden, it goes."""
    await judge(gateway, account, "held")
    refused = await publish(alice, [account])
    await override(alice, account)
    sent = await publish(alice, [account])

    assert (refused.status, refused.body["code"]) == (409, "account_not_publishable")
    assert sent.status == 202


async def test_the_quota_shows_the_half(gateway, alice, account):
    """With the moment at which the window has room again."""
    await gateway.rows("UPDATE accounts SET quota_total = 3")
    await judge(gateway, account, "halved", band="at_risk")
    free = (await alice.get(f"/v1/accounts/{account}/quota")).body
    await publish(alice, [account])
    await gateway.rows("UPDATE publications SET state = 'published', published_at = now() - interval '1 hour'")
    full = (await alice.get(f"/v1/accounts/{account}/quota")).body
    await override(alice, account)
    whole = (await alice.get(f"/v1/accounts/{account}/quota")).body

    assert (free["health_cap"], free["next_slot_at"]) == (1, None)
    assert full["next_slot_reason"] == "health_cap"
    assert full["next_slot_at"] > full["as_of"]
    assert (whole["health_cap"], whole["next_slot_at"]) == (None, None)
