"""`/v1/alerts` and `/v1/swarm/health`: what is wrong, told to whom it concerns, and what people say of it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from shared.alerts import Alert, AlertCode, Severity, raise_alerts

PATH = "/v1/alerts"
_CODES = (AlertCode.REAUTH_REQUIRED, AlertCode.TOKEN_EXPIRING, AlertCode.OUTCOME_UNKNOWN)
_SEVERITIES = (Severity.CRITICAL, Severity.INFO, Severity.WARNING)


async def open_alerts(gateway, client, accounts, *, codes=_CODES):
    """One of each code for each account, the first account's first; their ids in that order."""
    ids = []
    async with gateway.deps.pool.acquire() as connection:
        for account_id in accounts:
            for code in codes:
                alert = Alert(
                    user_id=UUID(client.user_id),
                    code=code,
                    severity=_SEVERITIES[_CODES.index(code)],
                    subject_type="account",
                    subject_id=UUID(account_id),
                    text=f"{code} is wrong.",
                    advice="Look at it.",
                    details={"username": "studio"},
                )
                async with connection.transaction():
                    await raise_alerts(connection, [alert])
                ids.append(str(await connection.fetchval("SELECT id FROM alerts ORDER BY opened_at DESC LIMIT 1")))
    return ids


async def told(gateway):
    rows = await gateway.rows("SELECT type FROM events WHERE type LIKE 'alert.%' ORDER BY tx, seq")
    return [row["type"] for row in rows]


async def listed(client, query=""):
    answer = await client.get(f"{PATH}{query}")
    assert answer.status == 200, answer.body
    return [alert["id"] for alert in answer.body["data"]]


async def limited_to(client, *account_ids):
    made = await client.post(
        "/v1/api-keys", json={"name": "limited", "scopes": ["read", "write"], "account_ids": list(account_ids)}
    )
    assert made.status == 201, made.body
    return replace(client, api_key=made.body["key"])


async def test_alerts_are_listed_by_what_they_are_and_in_either_order(gateway, alice, bob):
    """Newest first; filters leave out the rest; pages hold together; other tenants see none."""
    accounts = await alice.add_accounts(2)
    ids = await open_alerts(gateway, alice, accounts)
    await gateway.rows("UPDATE alerts SET state = 'acknowledged' WHERE id = $1", UUID(ids[4]))
    newest = ids[::-1]

    first = await alice.get(f"{PATH}?limit=4&sort=-opened_at")
    second = await alice.get(f"{PATH}?limit=4&sort=-opened_at&cursor={first.body['pagination']['next_cursor']}")

    assert [alert["id"] for page in (first, second) for alert in page.body["data"]] == newest
    assert await listed(alice, "?sort=opened_at") == ids
    assert await listed(alice, "?state=acknowledged") == [ids[4]]
    assert await listed(alice, "?severity=critical") == [ids[3], ids[0]]
    assert await listed(alice, f"?code=outcome_unknown&subject_id={accounts[0]}") == [ids[2]]
    assert await listed(bob) == []
    assert (await bob.get(f"{PATH}/{ids[0]}")).status == 404


async def test_an_alert_is_told_whole(gateway, alice):
    """What is wrong with what, what to do, and since when."""
    [account] = await alice.add_accounts(1)
    [alert_id] = await open_alerts(gateway, alice, [account], codes=_CODES[:1])

    alert = (await alice.get(f"{PATH}/{alert_id}")).body

    assert alert.pop("opened_at") == alert.pop("seen_at")
    assert alert == {
        "id": alert_id,
        "code": "reauth_required",
        "severity": "critical",
        "state": "open",
        "subject": {"type": "account", "id": account},
        "text": "reauth_required is wrong.",
        "advice": "Look at it.",
        "details": {"username": "studio"},
        "count": 1,
        **dict.fromkeys(("escalated_at", "acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by")),
    }


async def test_what_a_person_says_is_written_told_and_kept(gateway, alice):
    """Seen, then done with: by whom, in the audit log and as events; said twice it is said once."""
    [account] = await alice.add_accounts(1)
    [alert_id] = await open_alerts(gateway, alice, [account], codes=_CODES[:1])
    answers = [
        await alice.post(f"{PATH}/{alert_id}/{what}")
        for what in ("acknowledge", "acknowledge", "resolve", "resolve", "acknowledge")
    ]

    [key] = (await alice.get("/v1/api-keys")).body["data"]
    lines = (await alice.get(f"/v1/audit-log?subject_type=alert&subject_id={alert_id}")).body["data"]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 409]
    assert [answer.body["state"] for answer in answers[:4]] == ["acknowledged"] * 2 + ["resolved"] * 2
    assert answers[3].body == answers[2].body
    assert answers[2].body["acknowledged_by"] == answers[2].body["resolved_by"] == key["key_id"]
    assert answers[4].body["code"] == "state_conflict"
    assert [line["action"] for line in lines] == ["alert.resolved", "alert.acknowledged"]
    assert (lines[0]["before"]["state"], lines[0]["after"]["state"]) == ("acknowledged", "resolved")
    assert await told(gateway) == ["alert.opened", "alert.acknowledged", "alert.resolved"]


async def test_a_limited_key_sees_and_answers_the_alerts_of_its_accounts(gateway, alice):
    """Those of others, and of things that are no account, are not there for it."""
    mine, other = await alice.add_accounts(2)
    own, foreign = await open_alerts(gateway, alice, [mine, other], codes=_CODES[:1])
    await gateway.rows("UPDATE alerts SET subject_type = 'schedule' WHERE id = $1", UUID(foreign))
    limited = await limited_to(alice, mine)

    statuses = [
        (await limited.call(method, f"{PATH}/{foreign}{path}")).status
        for method, path in (("GET", ""), ("POST", "/acknowledge"), ("POST", "/resolve"))
    ]

    assert await listed(limited) == [own]
    assert await listed(limited, f"?subject_id={other}") == []
    assert statuses == [404, 404, 404]
    assert (await limited.post(f"{PATH}/{own}/resolve")).body["state"] == "resolved"
    assert await told(gateway) == ["alert.opened", "alert.opened", "alert.resolved"]


@pytest.mark.parametrize("query", ["?state=live", "?severity=bad", "?code=nothing", "?subject_id=1", "?sort=code"])
async def test_a_wish_that_cannot_be_is_refused(alice, query):
    """A misspelt filter lists nothing, rather than everything."""
    answer = await alice.get(f"{PATH}{query}")

    assert (answer.status, answer.body["code"]) == (422, "validation_failed")


async def test_the_swarm_is_told_with_its_tail_and_the_incidents(gateway, alice):
    """Two accounts of which one is dying: the score lies nearer to it than their mean does."""
    accounts = await alice.add_accounts(2)
    for account, score, reasons in (
        (accounts[0], 20, '[{"code": "a", "text": "b", "advice": "c"}]'),
        (accounts[1], 100, "[]"),
    ):
        await gateway.rows(
            """
            INSERT INTO health_scores (account_id, user_id, score, band, confidence, components, gates, reasons,
                                       formula_version, computed_at, exposure)
            VALUES ($1, $2, $3, 'healthy', 1, '{}', '{}', $4::jsonb, 1, now(), 1)
            ON CONFLICT (account_id) DO UPDATE SET score = excluded.score, reasons = excluded.reasons
            """,
            UUID(account),
            UUID(alice.user_id),
            score,
            reasons,
        )
    await gateway.rows(
        """
        INSERT INTO incidents (id, error_class, accounts, share, user_ids, paused_until)
        VALUES (gen_random_uuid(), 'reauth', 3, 1, '{}', now())
        """
    )

    swarm = (await alice.get("/v1/swarm/health")).body

    assert (swarm["mean"], swarm["p10"], swarm["score"]) == (60.0, 28.0, 47.2)
    assert [(worst["score"], worst["reason"]) for worst in swarm["worst"]] == [
        (20, {"code": "a", "text": "b", "advice": "c"}),
        (100, None),
    ]
    assert [incident["error_class"] for incident in swarm["incidents"]] == ["reauth"]
