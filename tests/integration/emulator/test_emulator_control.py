from __future__ import annotations

import asyncio
import json
from datetime import datetime

import pytest


async def test_accounts_by_count(emulated):
    """A count makes that many accounts, each with an id, a name and a working token of its own."""
    accounts = await emulated.control("POST", "accounts", {"count": 25})

    assert len({account["ig_user_id"] for account in accounts}) == 25
    assert len({account["access_token"] for account in accounts}) == 25
    assert {tuple(account) for account in accounts} == {("ig_user_id", "username", "access_token")}
    assert (await emulated.graph(accounts[24], "GET", "/me")).status == 200


async def test_accounts_by_list(emulated):
    """A list makes these accounts in this order; what is left out is made up."""
    given = {"ig_user_id": "17841400000000042", "username": "kaffee_haus", "access_token": "EMULATOR-TOKEN-x"}

    accounts = await emulated.control("POST", "accounts", [given, {"username": "second"}])

    assert accounts[0] == given
    assert accounts[1]["username"] == "second"
    assert (await emulated.graph(given, "GET", "/me", fields="username")).body["username"] == "kaffee_haus"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"count": 0},
        {"count": 20_001},
        {"count": "many"},
        [{"ig_user_id": "not a number"}],
        [{"ig_user_id": "1\n"}],
        [{"username": "with space"}],
        [{"surprise": 1}],
        [{"ig_user_id": "5"}, {"ig_user_id": "5"}],
        "text",
    ],
)
async def test_bad_accounts_are_refused_whole(emulated, body):
    """One bad account refuses the request with a sentence, and none is made."""
    answer = await emulated.call("POST", "/_emulator/accounts", json=body)

    assert answer.status == 400
    assert isinstance(answer.body["error"], str)
    assert (await emulated.call("GET", "/")).body["accounts"] == 0


async def test_taken_ids_and_tokens_are_refused(emulated, account):
    """An id or token that exists cannot be given to a second account."""
    for field in ("ig_user_id", "access_token"):
        answer = await emulated.call("POST", "/_emulator/accounts", json=[{field: account[field]}])
        assert answer.status == 400


async def test_body_that_is_no_json(emulated):
    """A control body that is no JSON is 400 with a sentence."""
    answer = await emulated.call("POST", "/_emulator/reset", data=b"{")

    assert answer.status == 400
    assert "JSON" in answer.body["error"]


async def test_live_media_oldest_first(emulated, images):
    """Everything that is live is listed oldest first, of all accounts or of one, with an exact time."""
    accounts = await emulated.control("POST", "accounts", {"count": 2})
    for number in range(4):
        await emulated.post(accounts[number % 2], f"{images.origin}/good.jpg", caption=str(number))

    everything = await emulated.control("GET", "media")
    own = await emulated.control("GET", "media", ig_user_id=accounts[1]["ig_user_id"])

    assert [media["caption"] for media in everything] == ["0", "1", "2", "3"]
    assert [media["caption"] for media in own] == ["1", "3"]
    assert datetime.fromisoformat(own[0]["timestamp"]).utcoffset() is not None
    assert (await emulated.call("GET", "/_emulator/media?ig_user_id=1")).status == 400


async def test_calls_are_recorded_without_secrets(emulated, account, images):
    """Every Graph call is recorded with its endpoint, ids and outcome; neither token nor caption is kept."""
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg", caption="private words")).body["id"]
    await emulated.status_of(account, container_id)
    media_id = (await emulated.publish(account, container_id)).body["id"]
    await emulated.call("GET", "/me", params={"access_token": "EMULATOR-TOKEN-wrong"})

    calls = await emulated.control("GET", "calls")

    assert [(call["method"], call["endpoint"], call["status"]) for call in calls] == [
        ("POST", "create_container", 200),
        ("GET", "get_container", 200),
        ("POST", "media_publish", 200),
        ("GET", "get_account", 400),
    ]
    assert [call["container_id"] for call in calls] == [container_id, container_id, container_id, None]
    assert calls[2]["media_id"] == media_id
    assert [call["ig_user_id"] for call in calls] == [account["ig_user_id"]] * 3 + [None]
    assert calls[3]["code"] == 190
    text = json.dumps(calls)
    assert "TOKEN" not in text
    assert "private" not in text


async def test_calls_are_filtered(emulated, account):
    """Calls can be listed by endpoint and account; an endpoint that does not exist is refused with a sentence."""
    other = await emulated.new_account()
    for caller in (account, other):
        await emulated.graph(caller, "GET", "/me")
        await emulated.graph(caller, "GET", f"/{caller['ig_user_id']}/media")

    calls = await emulated.control("GET", "calls", endpoint="list_media", ig_user_id=other["ig_user_id"])

    assert [(call["endpoint"], call["ig_user_id"]) for call in calls] == [("list_media", other["ig_user_id"])]
    refused = await emulated.call("GET", "/_emulator/calls?endpoint=nowhere")
    assert (refused.status, "list_media" in refused.body["error"]) == (400, True)


async def test_reset_forgets_everything(emulated, account, images):
    """After a reset nothing is left of accounts, posts, calls and faults, and options are those of the start."""
    await emulated.post(account, f"{images.origin}/good.jpg")
    await emulated.control("POST", "faults", {"endpoint": "any", "kind": "error"})
    await emulated.control("POST", "reset", {"quota_total": 7, "double_publish": "twice"})

    state = (await emulated.call("GET", "/_emulator/")).body
    assert (state["accounts"], state["media"]) == (0, 0)
    assert (state["options"]["quota_total"], state["options"]["double_publish"]) == (7, "twice")
    assert await emulated.control("GET", "calls") == []
    assert await emulated.control("GET", "faults") == []
    assert (await emulated.graph(account, "GET", "/me")).error == (190, None)
    assert (await emulated.control("POST", "reset"))["options"]["quota_total"] == 100


@pytest.mark.parametrize(
    "body", [{"double_publish": "thrice"}, {"quota_total": -1}, {"surprise": 1}, {"latency_s": "x"}, []]
)
async def test_bad_reset_changes_nothing(emulated, account, body):
    """A reset that cannot be understood is 400 with a sentence, and everything stays."""
    answer = await emulated.call("POST", "/_emulator/reset", json=body)

    assert answer.status == 400
    assert (await emulated.graph(account, "GET", "/me")).status == 200


async def test_front_page_and_probe(emulated):
    """The front page says what this is; the probe says that it answers; unknown control paths name the known ones."""
    front = (await emulated.call("GET", "/")).body

    assert "stand-in" in front["what"]
    assert "POST /_emulator/reset" in front["control"]
    assert (await emulated.call("GET", "/healthz")).body == {"status": "ok"}
    unknown = await emulated.call("GET", "/_emulator/nonsense")
    assert unknown.status == 404
    assert "/_emulator/calls" in unknown.body["error"]


async def test_latency_is_added(start):
    """Every Graph call takes at least the latency asked for."""
    emulated = await start(latency_s=0.1)
    account = await emulated.new_account()
    loop = asyncio.get_running_loop()
    began = loop.time()

    await emulated.graph(account, "GET", "/me")

    assert loop.time() - began >= 0.1
