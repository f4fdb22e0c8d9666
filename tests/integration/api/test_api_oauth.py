"""Connecting an account: its owner goes to the platform's page, comes back, and the account is there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from tests.emulators import emulating

BASIC, PUBLISH = "instagram_business_basic", "instagram_business_content_publish"


@pytest.fixture
async def emulator():
    async with emulating() as emulator:
        yield emulator


@pytest.fixture
async def gateway(settings, run_gateway, emulator):
    app = {"instagram_app_id": "42", "instagram_app_secret": "app-secret-of-no-app"}
    public = {"instagram_graph_url": emulator.url, "public_url": "https://distro.test/"}
    async with run_gateway(replace(settings, **app, **public)) as gateway:
        yield gateway


@pytest.fixture
async def owner(emulator):
    """Who has an account at the platform."""
    return await emulator.new_account()


@pytest.fixture
def begin(alice):
    """Begin a connection; gives the address of the platform's page."""

    async def begin(**wish):
        answer = await alice.post("/v1/accounts/connect", json=wish)
        assert answer.status == 200, answer.body
        return answer.body["authorize_url"]

    return begin


@pytest.fixture
def come_back(alice, emulator, owner, begin):
    """Go all the way; gives what the owner's browser is shown in the end, without any key."""

    async def come_back(wish=None, **consent):
        back = await emulator.consent(await begin(**(wish or {})), username=owner["username"], **consent)
        return await replace(alice, api_key=None).get(back)

    return come_back


async def test_a_connection_begins_at_the_platforms_page(gateway, alice):
    """The address names the app, the exact way back, what publishing needs, and a state that is nowhere else."""
    answer = await alice.post("/v1/accounts/connect", json={})

    asked = parse_qs(urlsplit(answer.body["authorize_url"]).query)
    assert asked["redirect_uri"] == ["https://distro.test/v1/oauth/instagram/callback"]
    assert (asked["client_id"], asked["scope"]) == (["42"], [f"{BASIC},{PUBLISH}"])
    [state] = asked["state"]
    assert len(state) >= 43
    left = datetime.fromisoformat(answer.body["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    [row] = await gateway.rows("SELECT oauth_states::text AS text FROM oauth_states")
    written = await gateway.rows("SELECT after::text AS text FROM audit_log")
    assert not [one for one in (row, *written) if state in (one["text"] or "")]


async def test_an_owner_comes_back_with_an_account(gateway, alice, owner, come_back):
    """It has its name, its token with end and permissions, its check, and the protocol that was wished for."""
    answer = await come_back({"protocol_id": "quick"})

    assert answer.status == 201, answer.body
    account = answer.body
    assert (account["username"], account["instagram_user_id"]) == (owner["username"], owner["ig_user_id"])
    assert (account["protocol_id"], account["can_publish"]) == ("quick", True)
    assert account["token_scopes"] == [BASIC, PUBLISH]
    assert datetime.fromisoformat(account["token_expires_at"]) > datetime.now(UTC) + timedelta(days=59)
    assert answer.headers["Location"] == f"/v1/accounts/{account['id']}"
    assert (await alice.get(f"/v1/accounts/{account['id']}")).body == account
    verified = await alice.post(f"/v1/accounts/{account['id']}/verify")
    assert verified.body["token_valid"]
    assert len(await gateway.rows("SELECT 1 FROM health_checks")) == 1
    told = await gateway.rows("SELECT type FROM events WHERE type = 'account.connected'")
    assert len(told) == 1
    [line] = await gateway.rows("SELECT * FROM audit_log WHERE action = 'account.connected'")
    assert (line["actor"], json.loads(line["after"])) == (alice.api_key.split("_")[1], account)


@pytest.mark.parametrize("state", ["NEEDS_REAUTH", "removed"])
async def test_connecting_again_brings_an_account_back(gateway, alice, come_back, state):
    """It is the same account, and it can publish; of the one that was there all along it is no creation."""
    account = (await come_back()).body["id"]
    if state == "removed":
        await alice.call("DELETE", f"/v1/accounts/{account}")
    else:
        await gateway.rows("UPDATE accounts SET state = $1", state)

    again = await come_back()

    assert (again.status, again.body["id"]) == (201 if state == "removed" else 200, account)
    assert (again.body["state"], again.body["can_publish"]) == ("ACTIVE", True)


async def test_a_state_is_good_for_one_time(gateway, alice, emulator, owner, begin):
    """Used, made up, missing or too old: the same refusal, and the platform is not asked."""
    anybody = replace(alice, api_key=None)
    back = await emulator.consent(await begin(), username=owner["username"])
    first = await anybody.get(back)
    late = await emulator.consent(await begin(), username=owner["username"])
    await gateway.rows("UPDATE oauth_states SET expires_at = now() - interval '1 second'")
    asked = await emulator.calls("exchange_code")

    path = back.partition("?")[0]
    answers = [await anybody.get(where) for where in (back, late, f"{path}?code=x&state=made-up", f"{path}?code=x")]

    assert first.status == 201
    assert {(one.status, one.body["code"]) for one in answers} == {(400, "oauth_state_invalid")}
    assert await emulator.calls("exchange_code") == asked == 1


async def test_an_owner_who_denies_is_told_apart(gateway, come_back):
    """No account is made, and the words are the platform's."""
    answer = await come_back(decision="deny")

    assert (answer.status, answer.body["code"]) == (403, "oauth_denied")
    assert "user denied" in answer.body["detail"]
    assert await gateway.count("accounts") == 0


async def test_a_permission_that_is_missing_is_named(gateway, come_back):
    """What cannot publish is no account here."""
    answer = await come_back(permission=BASIC)

    assert (answer.status, answer.body["code"]) == (403, "permissions_missing")
    assert [fault["message"] for fault in answer.body["errors"]] == [f"{PUBLISH} was not granted."]
    assert await gateway.count("accounts") == 0


async def test_a_code_that_the_platform_refuses_is_told_without_it(alice, begin):
    """The platform's word is passed on, and nothing secret with it."""
    state = parse_qs(urlsplit(await begin()).query)["state"][0]

    answer = await replace(alice, api_key=None).get(
        f"/v1/oauth/instagram/callback?code=AQB-code-of-nobody&state={state}&from=somewhere"
    )

    assert (answer.status, answer.body["code"]) == (502, "platform_error")
    assert not [word for word in (b"AQB-code", b"app-secret", state.encode()) if word in answer.content]


@pytest.mark.parametrize("step", ["exchange_code", "exchange_token", "get_account"])
async def test_a_platform_that_fails_on_the_way_is_told_as_a_new_begin(alice, emulator, owner, begin, step):
    """The state is used up by then: nothing invites to send the same again, and the next connection succeeds."""
    anybody = replace(alice, api_key=None)
    await emulator.fault(endpoint=step, kind="html_502")
    back = await emulator.consent(await begin(), username=owner["username"])

    broken, again = await anybody.get(back), await anybody.get(back)
    anew = await anybody.get(await emulator.consent(await begin(), username=owner["username"]))

    assert (broken.status, broken.body["code"]) == (503, "not_ready")
    assert "must be begun again" in broken.body["detail"]
    assert "Retry-After" not in broken.headers
    assert again.body["code"] == "oauth_state_invalid"
    assert anew.status == 201


async def test_of_two_who_come_back_at_once_one_does(gateway, alice, emulator, owner, begin):
    """The platform is asked once, and one account is there."""
    back = await emulator.consent(await begin(), username=owner["username"])

    answers = await asyncio.gather(*(replace(alice, api_key=None).get(back) for _ in range(4)))

    assert sorted(one.status for one in answers) == [201, 400, 400, 400]
    assert (await emulator.calls("exchange_code"), await gateway.count("accounts")) == (1, 1)


async def test_a_state_that_comes_twice_is_not_used_up(alice, emulator, owner, begin):
    """Nobody can tell which one is meant; the owner's own way back still works."""
    back = await emulator.consent(await begin(), username=owner["username"])
    anybody = replace(alice, api_key=None)

    twice = await anybody.get(f"{back}&state=another")

    assert (twice.status, twice.body["errors"][0]["path"]) == (422, "state")
    assert (await anybody.get(back)).status == 201


async def test_neither_state_nor_code_nor_token_is_written_down(gateway, alice, emulator, owner, begin):
    """No log line, event or line of the audit log holds what connects an account, well or not."""
    backs = [await emulator.consent(await begin(), username=owner["username"]) for _ in range(2)]
    await emulator.fault(endpoint="exchange_token", kind="error")

    with capture_logs(processors=[merge_contextvars]) as logs:
        answers = [await replace(alice, api_key=None).get(back) for back in backs]

    asked = [parse_qs(urlsplit(back).query) for back in backs]
    secrets = [one[name][0] for one in asked for name in ("state", "code")] + ["IGQ", "app-secret-of-no-app"]
    written = [*logs, *[dict(row) for table in ("audit_log", "events") for row in await gateway.rows(f"TABLE {table}")]]
    assert [one.status for one in answers] == [503, 201]
    assert [secret for secret in secrets if secret in repr(written)] == []


async def test_a_wish_that_cannot_be_met_begins_nothing(gateway, bob):
    """Unknown protocols and proxies, another tenant's included, are told before anybody is sent away."""
    nobody = "00000000-0000-7000-8000-000000000000"
    answers = [
        await bob.post("/v1/accounts/connect", json=wish) for wish in ({"protocol_id": "none"}, {"proxy_id": nobody})
    ]

    assert [(one.status, one.body["errors"][0]["path"]) for one in answers] == [
        (404, "protocol_id"), (404, "proxy_id"),
    ]  # fmt: skip
    assert await gateway.count("oauth_states") == 0


async def test_a_repeated_wish_is_the_same_connection(gateway, alice):
    """The kept answer, whose address is a secret, is the first one's and stored encrypted."""
    headers = {"Idempotency-Key": "once"}

    first, second = [await alice.post("/v1/accounts/connect", json={}, headers=headers) for _ in range(2)]

    assert second.body == first.body
    assert await gateway.count("oauth_states") == 1
    [kept] = await gateway.rows("SELECT body FROM idempotency_keys")
    assert b"authorize" not in kept["body"]


async def test_without_an_app_nothing_can_be_connected(settings, run_gateway):
    """The answer says what to set."""
    async with run_gateway(settings) as gateway:
        alice = await gateway.client("alice@example.com")
        answer = await alice.post("/v1/accounts/connect", json={})

    assert (answer.status, answer.body["code"]) == (409, "state_conflict")
    assert "INSTAGRAM_APP_ID" in answer.body["detail"]
