"""Asking the platform about an account: what it says is told, and what it proves is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.emulators import emulating


@pytest.fixture
async def emulator():
    async with emulating() as emulator:
        yield emulator


@pytest.fixture
async def gateway(settings, run_gateway, emulator):
    async with run_gateway(replace(settings, instagram_graph_url=emulator.url)) as gateway:
        yield gateway


@pytest.fixture
async def real(emulator):
    """An account at the platform."""
    return await emulator.new_account()


@pytest.fixture
async def account(alice, real):
    fields = {"username": "old_name", "instagram_user_id": real["ig_user_id"], "access_token": real["access_token"]}
    return (await alice.post("/v1/accounts", json=fields)).body["id"]


async def verify(alice, account, **headers):
    return await alice.post(f"/v1/accounts/{account}/verify", headers=headers)


async def test_a_token_that_works_is_told_with_what_the_platform_says(alice, account, real):
    """Name, type and quota are the platform's; the account's name follows it, in every read."""
    await alice.get(f"/v1/accounts/{account}")

    answer = await verify(alice, account)

    assert answer.status == 200, answer.body
    assert (answer.body["token_valid"], answer.body["problem"]) == (True, None)
    assert (answer.body["account_type"], answer.body["quota_used"], answer.body["quota_total"]) == ("BUSINESS", 0, 100)
    assert answer.body["account"]["username"] == real["username"]
    assert (await alice.get(f"/v1/accounts/{account}")).body == answer.body["account"]


@pytest.mark.parametrize("state", ["NEEDS_REAUTH", "DISCONNECTED"])
async def test_a_token_that_works_brings_an_account_back(gateway, alice, account, state):
    """It is active, and what was held for it is on its way."""
    made = await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json={"account_ids": [account]})
    await gateway.rows("UPDATE publications SET state = 'held', reason = 'reauth_required'")
    await gateway.rows("UPDATE accounts SET state = $1", state)

    answer = await verify(alice, account)

    assert answer.body["account"]["state"] == "ACTIVE"
    publication = await alice.get(f"/v1/publications/{made.body['publications'][0]}")
    assert publication.body["state"] == "scheduled"


async def test_a_token_that_is_refused_is_told_and_stops_the_account(gateway, emulator, alice, account):
    """The account needs its owner, and the answer says what to do, without the token; a paused one keeps its pause."""
    await emulator.fault(endpoint="any", kind="error", times=2, code=190, subcode=460)

    answer = await verify(alice, account)
    await gateway.rows("UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE'")
    paused = await verify(alice, account)

    assert (answer.status, answer.body["token_valid"]) == (200, False)
    assert "password was changed" in answer.body["problem"]
    assert (answer.body["account"]["state"], answer.body["account"]["state_reason"]) == (
        "NEEDS_REAUTH", "reauth_required",
    )  # fmt: skip
    assert (paused.body["token_valid"], paused.body["account"]["state"]) == (False, "PAUSED")


async def test_a_token_of_another_account_is_no_token_of_this_one(emulator, alice, account):
    """What works for somebody else is told as what it is."""
    other = await emulator.new_account()
    await alice.call("PATCH", f"/v1/accounts/{account}", json={"access_token": other["access_token"]})

    answer = await verify(alice, account)

    assert (answer.body["token_valid"], answer.body["account"]["state"]) == (False, "NEEDS_REAUTH")
    assert "another Instagram account" in answer.body["problem"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "error", "code": 25, "subcode": 2207050}, 502, "platform_error"),
        ({"kind": "error", "code": 2}, 503, "not_ready"),
        ({"kind": "drop_before", "times": 2}, 503, "not_ready"),  # the client asks once more by itself
    ],
)
async def test_a_platform_that_fails_proves_nothing(emulator, alice, account, fault, status, code):
    """The account stays as it is, and the same request may be made again under the same key."""
    await emulator.fault(**{"endpoint": "any", "times": 1} | fault)
    before = (await alice.get(f"/v1/accounts/{account}")).body

    failed = await verify(alice, account, **{"Idempotency-Key": "once"})
    after = (await alice.get(f"/v1/accounts/{account}")).body
    again = await verify(alice, account, **{"Idempotency-Key": "once"})

    assert (failed.status, failed.body["code"]) == (status, code), failed.body
    assert after == before
    assert (again.status, again.body["token_valid"]) == (200, True)


async def test_a_repeated_request_asks_once(emulator, alice, account):
    """The answer is the first one's."""
    first = await verify(alice, account, **{"Idempotency-Key": "once"})
    asked = await emulator.calls("me")
    second = await verify(alice, account, **{"Idempotency-Key": "once"})

    assert second.body == first.body
    assert await emulator.calls("me") == asked == 1
