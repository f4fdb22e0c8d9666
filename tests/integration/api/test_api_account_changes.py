"""Changing an account: what is given is another, the rest stays, and what was held goes on."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from shared.accounts import begin_day


@pytest.fixture
async def account(alice):
    [account_id] = await alice.add_accounts(1)
    return account_id


@pytest.fixture
def change(alice, account):
    """PATCH the account."""

    async def change(headers=None, **fields):
        return await alice.call("PATCH", f"/v1/accounts/{account}", json=fields, headers=headers or {})

    return change


async def add_proxy(gateway, user_id, *, state="up"):
    """A proxy of the user, as rows."""
    proxy_id = uuid7()
    await gateway.rows(
        """
        INSERT INTO proxies (id, user_id, name, scheme, host, port, state)
        VALUES ($1, $2, $3, 'http', 'localhost', 3128, $4)
        """,
        proxy_id,
        UUID(user_id),
        str(proxy_id),
        state,
    )
    return str(proxy_id)


async def hold(gateway, alice, account, *, reason):
    made = await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json={"account_ids": [account]})
    [publication_id] = made.body["publications"]
    await gateway.rows("UPDATE publications SET state = 'held', reason = $1", reason)
    return publication_id


async def state_of(alice, publication_id):
    return (await alice.get(f"/v1/publications/{publication_id}")).body["state"]


async def test_what_is_given_is_changed_and_the_rest_stays(gateway, alice, change, account):
    """One answer shows the account as it is now, the audit log both sides, and no cache the one before."""
    before = (await alice.get(f"/v1/accounts/{account}")).body
    await alice.get("/v1/accounts")

    answer = await change(username="@cafe", tags=["a", " b "], token_expires_at="2099-01-01T00:00:00Z")

    assert answer.status == 200, answer.body
    said = {"username": "cafe", "tags": ["a", "b"], "token_expires_at": "2099-01-01T00:00:00Z"}
    assert answer.body == before | said | {"updated_at": answer.body["updated_at"]}
    assert (await alice.get(f"/v1/accounts/{account}")).body == answer.body
    assert (await alice.get("/v1/accounts")).body["data"] == [answer.body]
    [line] = await gateway.rows("SELECT * FROM audit_log WHERE action = 'account.changed'")
    assert (json.loads(line["before"]), json.loads(line["after"])) == (before, answer.body)
    events = await gateway.rows("SELECT subject FROM events WHERE type = 'account.changed' ORDER BY seq DESC LIMIT 1")
    assert [row["subject"] for row in events] == [account]


async def test_a_change_that_changes_nothing_leaves_no_trace(gateway, alice, change, account):
    """The account, its time of change and the audit log stay as they are."""
    before = (await alice.get(f"/v1/accounts/{account}")).body

    answers = [await change(), await change(username=before["username"]), await change(proxy_id=None)]

    assert [answer.body for answer in answers] == [before] * 3
    assert await gateway.rows("SELECT 1 FROM audit_log WHERE action = 'account.changed'") == []


async def test_every_fault_of_a_change_is_told_and_nothing_is_written(alice, change, account):
    """Each with its path; another tenant's proxy is as unknown as none."""
    before = (await alice.get(f"/v1/accounts/{account}")).body

    faulty = await change(username="no spaces", access_token="short", token_expires_at="tomorrow")
    unknown = await change(username="cafe", proxy_id=str(uuid4()), protocol_id="none")
    extra = await change(instagram_user_id="1")

    assert (faulty.status, faulty.body["code"]) == (422, "validation_failed")
    assert {fault["path"] for fault in faulty.body["errors"]} == {"username", "access_token", "token_expires_at"}
    assert {(fault["path"], fault["code"]) for fault in unknown.body["errors"]} == {
        ("proxy_id", "not_found"), ("protocol_id", "not_found"),
    }  # fmt: skip
    assert (extra.status, extra.body["errors"][0]["path"]) == (422, "instagram_user_id")
    assert (await alice.get(f"/v1/accounts/{account}")).body == before


async def test_a_proxy_is_taken_and_given_back(gateway, alice, change):
    """Without its proxy that is down the account can publish, and what the proxy held goes on in the same breath."""
    proxy = await add_proxy(gateway, alice.user_id, state="down")

    taken = await change(proxy_id=proxy)
    publication = await hold(gateway, alice, taken.body["id"], reason="egress_down")
    given_back = await change(proxy_id=None)

    assert (taken.body["proxy_id"], taken.body["can_publish"], taken.body["held_because"]) == (
        proxy, False, "egress_down",
    )  # fmt: skip
    assert (given_back.body["proxy_id"], given_back.body["can_publish"]) == (None, True)
    assert await state_of(alice, publication) == "scheduled"


async def test_another_proxy_lets_go_what_the_one_before_held(gateway, alice, change):
    """As soon as the answer is there, the publication is on its way."""
    down, up = [await add_proxy(gateway, alice.user_id, state=state) for state in ("down", "up")]
    account = (await change(proxy_id=down)).body["id"]
    publication = await hold(gateway, alice, account, reason="egress_down")

    await change(proxy_id=up)

    assert await state_of(alice, publication) == "scheduled"


async def test_a_protocol_begins_with_its_first_day(gateway, change):
    """Another protocol begins anew, the same one goes on, and none lifts every cap."""
    await change(protocol_id="cautious")
    await gateway.rows("UPDATE accounts SET warmup_day = 3, warmup_day_began_at = now()")

    same = await change(protocol_id="cautious", tags=["x"])
    [kept] = await gateway.rows("SELECT warmup_day, warmup_day_began_at FROM accounts")
    other = await change(protocol_id="quick")
    [begun] = await gateway.rows("SELECT warmup_day, warmup_day_began_at FROM accounts")
    none = await change(protocol_id=None)

    assert [answer.body["protocol_id"] for answer in (same, other, none)] == ["cautious", "quick", None]
    assert kept["warmup_day"] == 3
    assert tuple(begun) == (0, None)


@pytest.mark.parametrize("state", ["NEEDS_REAUTH", "DISCONNECTED"])
async def test_a_new_token_brings_an_account_back(gateway, alice, change, account, state):
    """It is active at once, what was held goes on, and no answer, event or audit line knows the token."""
    publication = await hold(gateway, alice, account, reason="reauth_required")
    await gateway.rows("UPDATE accounts SET state = $1", state)
    await gateway.deps.cache.invalidate_account(account, user_id=alice.user_id)

    answer = await change(access_token="ANOTHER-TOKEN-not-real")

    assert (answer.body["state"], answer.body["can_publish"]) == ("ACTIVE", True)
    assert await state_of(alice, publication) == "scheduled"
    told = await gateway.rows("SELECT payload::text AS text FROM events UNION ALL SELECT after::text FROM audit_log")
    assert not [row for row in told if "ANOTHER-TOKEN" in (row["text"] or "")]
    assert b"ANOTHER-TOKEN" not in answer.content


async def test_who_knew_another_version_changes_nothing(alice, change, account):
    """Of two that read the same account, one changes it and the other is told to read again."""
    tag = (await alice.get(f"/v1/accounts/{account}")).headers["ETag"]

    answers = await asyncio.gather(*(change({"If-Match": tag}, tags=[name]) for name in ("a", "b")))
    fresh = (await alice.get(f"/v1/accounts/{account}")).headers["ETag"]
    again = await change({"If-Match": fresh}, tags=["c"])

    assert sorted(answer.status for answer in answers) == [200, 412]
    assert (again.status, again.body["tags"]) == (200, ["c"])


async def test_what_is_cached_of_an_account_is_the_version_that_a_change_is_held_against(
    gateway, alice, change, account
):
    """What the publisher notes for itself, such as the begin of a warm-up's day, makes no other version."""
    tag = (await alice.get(f"/v1/accounts/{account}")).headers["ETag"]
    async with gateway.deps.pool.acquire() as connection:
        await begin_day(connection, UUID(account), user_id=UUID(alice.user_id), day=1)

    answer = await change({"If-Match": tag}, tags=["new"])

    assert answer.status == 200


@pytest.mark.parametrize("field", ["username", "access_token", "token_expires_at", "protocol_id"])
async def test_an_empty_text_is_refused_rather_than_passed_over(change, field):
    """Nobody is told that all is well whose wish changes nothing."""
    answer = await change(**{field: " "})

    assert (answer.status, answer.body["errors"][0]["path"]) == (422, field)


async def test_changes_at_the_same_time_do_not_undo_each_other(alice, change, account):
    """Each keeps what it did not speak of as the other left it."""
    await asyncio.gather(change(username="cafe"), change(tags=["a"]), change(protocol_id="quick"))

    found = (await alice.get(f"/v1/accounts/{account}")).body
    assert (found["username"], found["tags"], found["protocol_id"]) == ("cafe", ["a"], "quick")
