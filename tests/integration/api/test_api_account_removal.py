"""Removing an account: what waits for it is told or canceled, what was published stays, and it can come back."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest

from services.api.accounts import store
from services.api.accounts.remove_account import remove_account
from tests.waiting import until

TOKEN = "ANOTHER-TOKEN-not-real"


@pytest.fixture
async def account(alice):
    [account_id] = await alice.add_accounts(1)
    return account_id


async def plan(alice, account, **fields):
    made = await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json={"account_ids": [account], **fields})
    assert made.status == 202, made.body
    return made.body["publications"][0]


async def remove(alice, account, query="", **headers):
    return await alice.call("DELETE", f"/v1/accounts/{account}{query}", headers=headers)


async def state_of(alice, publication_id):
    return (await alice.get(f"/v1/publications/{publication_id}")).body["state"]


async def test_a_removed_account_is_gone_for_clients_and_its_history_stays(gateway, alice, account):
    """No read, list, figure or action knows it; its publications do, and nothing of its token is left."""
    [other] = await alice.add_accounts(1, first=2)
    group = await alice.add_group([account, other])
    published = await plan(alice, account)
    await gateway.rows("UPDATE publications SET state = 'published', published_at = now()")
    for path in ("", f"/{account}", "/stats/swarm"):
        await alice.get(f"/v1/accounts{path}")
    await gateway.rows(
        "UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE' WHERE id = $1::text::uuid", account
    )

    removed = await remove(alice, account)

    assert (removed.status, removed.body) == (
        200, {"canceled": 0, "in_flight": [], "sent": [], "paused_schedules": 0},
    )  # fmt: skip
    base = f"/v1/accounts/{account}"
    gone = [await alice.get(f"{base}{path}") for path in ("", "/health", "/quota", "/publications")]
    gone += [await alice.post(f"{base}/{action}") for action in ("pause", "resume", "verify")]
    gone += [await alice.call("PATCH", base, json={}), await remove(alice, account)]
    assert {(answer.status, answer.body["code"]) for answer in gone} == {(404, "not_found")}
    assert [one["id"] for one in (await alice.get("/v1/accounts")).body["data"]] == [other]
    assert (await alice.get("/v1/swarm/health")).body["accounts"] == 1
    assert (await alice.get(f"/v1/groups/{group}")).body["account_count"] == 1
    assert (await alice.get(f"/v1/publications/{published}")).body["account_id"] == account
    again = await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json={"account_ids": [account]})
    assert (again.status, again.body["code"]) == (404, "not_found")
    kept = await gateway.rows("SELECT account_id FROM account_tokens UNION ALL SELECT account_id FROM health_checks")
    assert {str(row["account_id"]) for row in kept} == {other}


async def test_what_waits_for_an_account_is_told_before_it_is_canceled(gateway, alice, account):
    """The refusal counts it and names examples, a distribution too; told to, the removal cancels all of it at once."""
    group = await alice.add_group([account])
    publications = [await plan(alice, account), await plan(alice, account)]
    window = {"from": "2099-01-01T00:00:00Z", "to": "2099-01-01T01:00:00Z"}
    wish = {"post_id": await alice.add_post(), "group_id": group, "window": window}
    distribution = (await alice.post("/v1/distributions", json=wish)).body["id"]
    await gateway.rows(
        "UPDATE publications SET state = 'held', reason = 'x' WHERE id = $1::text::uuid", publications[0]
    )

    refused = await remove(alice, account)
    untouched = await gateway.rows("SELECT state FROM publications ORDER BY state")
    removed = await remove(alice, account, "?cancel=true")

    assert (refused.status, refused.body["code"]) == (409, "in_use")
    assert refused.body["detail"].startswith("3 publication(s)")
    named = {fault["existing_id"] for fault in refused.body["errors"]}
    assert {publications[0], distribution} < named
    assert [row["state"] for row in untouched] == ["held", "scheduled", "scheduled"]
    assert removed.body["canceled"] == 3
    assert {row["state"] for row in await gateway.rows("SELECT state FROM publications")} == {"canceled"}
    assert await gateway.rows("SELECT 1 FROM outbox WHERE type = 'post:publish'") == []


async def test_what_a_worker_has_is_told(gateway, alice, account):
    """One that a worker holds is wished to be canceled; one that was sent may be live, and the answer says so."""
    in_flight, sent = await plan(alice, account), await plan(alice, account)
    await gateway.rows(
        """
        UPDATE publications SET state = 'publishing', lease_until = now() + interval '1 minute', lease_owner = 'worker'
        WHERE id = $1::text::uuid
        """,
        in_flight,
    )
    await gateway.rows(
        """
        UPDATE publications
        SET step = 'publish_sent', container_id = '1', publish_sent_at = now(), publish_sends = 1, reason = 'verifying'
        WHERE id = $1::text::uuid
        """,
        sent,
    )

    refused = await remove(alice, account)
    removed = await remove(alice, account, "?cancel=true")

    assert refused.body["code"] == "in_use"
    assert removed.body == {"canceled": 0, "in_flight": [in_flight], "sent": [sent], "paused_schedules": 0}
    wishes = await gateway.rows("SELECT halt FROM publications")
    assert [row["halt"] for row in wishes] == ["cancel", "cancel"]


async def test_a_removal_is_told_and_written_down(gateway, alice, account):
    """An event of its state, one of its change, and a line of the audit log with what was there."""
    before = (await alice.get(f"/v1/accounts/{account}")).body

    await remove(alice, account)

    rows = await gateway.rows("SELECT type, payload FROM events WHERE type ~ '^account' ORDER BY seq DESC LIMIT 2")
    assert [row["type"] for row in rows] == ["account.changed", "account.disconnected"]
    assert json.loads(rows[1]["payload"]) == {"state": "DISCONNECTED", "reason": "removed"}
    [line] = await gateway.rows("SELECT * FROM audit_log WHERE action = 'account.removed'")
    assert (line["subject_id"], json.loads(line["before"])) == (account, before)


async def test_a_removed_account_comes_back_under_its_id(gateway, alice, account):
    """By POST or import it is there again, with a token, a check and nothing of its old settings; without one, not."""
    await alice.call("PATCH", f"/v1/accounts/{account}", json={"tags": ["old"], "protocol_id": "quick"})
    await remove(alice, account)
    fields = {"username": "account_1", "instagram_user_id": "17840000000000001"}

    bare = await alice.import_csv("username,instagram_user_id\naccount_1,17840000000000001\n")
    added = await alice.post("/v1/accounts", json={**fields, "access_token": TOKEN})
    listed = (await alice.get("/v1/accounts")).body["data"]

    assert bare.status == 422
    assert (added.status, added.body["id"], added.body["state"]) == (201, account, "ACTIVE")
    assert (added.body["tags"], added.body["protocol_id"]) == ([], None)
    assert [one["id"] for one in listed] == [account]
    assert len(await gateway.rows("SELECT 1 FROM health_checks WHERE account_id = $1::text::uuid", account)) == 1
    assert (await alice.post("/v1/accounts", json={**fields, "access_token": TOKEN})).body["code"] == "account_exists"


@pytest.mark.parametrize("way", ["publish", "distributions"])
async def test_nothing_is_planned_beside_a_removal(gateway, alice, account, way):
    """What is planned while the account is being removed waits for that, and then finds no account."""
    group, post = await alice.add_group([account]), await alice.add_post()
    window = {"from": "2099-01-01T00:00:00Z", "to": "2099-01-01T01:00:00Z"}
    wishes = {
        "publish": (f"/v1/posts/{post}/publish", {"account_ids": [account]}),
        "distributions": ("/v1/distributions", {"post_id": post, "group_id": group, "window": window}),
    }
    path, wish = wishes[way]

    async def someone_waits():
        return await gateway.rows(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )

    async with gateway.deps.pool.acquire() as connection:
        async with connection.transaction():
            assert await store.lock_whole(connection, UUID(account), user_id=UUID(alice.user_id))
            await remove_account(connection, UUID(account), user_id=UUID(alice.user_id), cancel=False)
            planning = asyncio.create_task(alice.post(path, json=wish))
            await until(someone_waits, what="the planning to wait for the removal")
        answer = await planning

    assert (answer.status, answer.body["code"]) == (404, "not_found")
    assert await gateway.count("publications") == 0


@pytest.mark.parametrize("way", ["publication", "distribution"])
async def test_nothing_is_tried_again_beside_a_removal(gateway, alice, account, way):
    """What failed stays so on an account that is removed at the same moment: the retry waits, and finds none."""
    window = {"from": "2099-01-01T00:00:00Z", "to": "2099-01-01T01:00:00Z"}
    wish = {"post_id": await alice.add_post(), "group_id": await alice.add_group([account]), "window": window}
    distribution = (await alice.post("/v1/distributions", json=wish)).body["id"]
    [publication] = await gateway.rows("UPDATE publications SET state = 'failed' RETURNING id::text")
    ways = {
        "publication": f"publications/{publication['id']}/retry",
        "distribution": f"distributions/{distribution}/retry-failed",
    }

    async def someone_waits():
        return await gateway.rows(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )

    async with gateway.deps.pool.acquire() as connection:
        async with connection.transaction():
            assert await store.lock_whole(connection, UUID(account), user_id=UUID(alice.user_id))
            await remove_account(connection, UUID(account), user_id=UUID(alice.user_id), cancel=False)
            retrying = asyncio.create_task(alice.post(f"/v1/{ways[way]}", json={}))
            await until(someone_waits, what="the retry to wait for the removal")
        answer = await retrying

    assert (answer.status, answer.body.get("retried")) == ((404, None) if way == "publication" else (202, 0))
    assert await state_of(alice, publication["id"]) == "failed"


async def test_who_knew_another_version_removes_nothing(alice, account):
    """And another tenant removes nothing either."""
    tag = (await alice.get(f"/v1/accounts/{account}")).headers["ETag"]
    await alice.call("PATCH", f"/v1/accounts/{account}", json={"tags": ["new"]})

    stale = await remove(alice, account, **{"If-Match": tag})

    assert (stale.status, stale.body["code"]) == (412, "version_mismatch")
    assert (await alice.get(f"/v1/accounts/{account}")).status == 200


async def test_another_tenants_account_is_not_removed(alice, bob, account):
    """It is as unknown as none."""
    assert (await remove(bob, account, "?cancel=true")).status == 404
    assert (await alice.get(f"/v1/accounts/{account}")).status == 200
