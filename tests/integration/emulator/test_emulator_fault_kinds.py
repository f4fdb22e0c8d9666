from __future__ import annotations

import json

import pytest


async def _order(emulated, **fault) -> None:
    await emulated.control("POST", "faults", {"endpoint": "any", **fault})


async def _regain_minutes(answer) -> int:
    [[usage]] = json.loads(answer.headers["X-Business-Use-Case-Usage"]).values()
    return int(usage["estimated_time_to_regain_access"])


async def test_http_500(emulated, account):
    """A server error of the platform: 500, code 2, transient."""
    await _order(emulated, kind="http_500")

    answer = await emulated.graph(account, "GET", "/me")

    assert (answer.status, answer.error, answer.body["error"]["is_transient"]) == (500, (2, None), True)


@pytest.mark.parametrize(("kind", "live"), [("html_502", 0), ("html_502_but_published", 1)])
async def test_page_of_a_gateway(emulated, account, images, kind, live):
    """A gateway answers with HTML, before or after the post went live."""
    container_id = await emulated.finished(account, image_url=f"{images.origin}/good.jpg")
    await _order(emulated, kind=kind)
    path = f"{emulated.origin}/{account['ig_user_id']}/media_publish"
    form = {"creation_id": container_id, "access_token": account["access_token"]}

    async with emulated.session.post(path, data=form) as response:
        assert (response.status, response.content_type) == (502, "text/html")

    assert len(await emulated.control("GET", "media")) == live
    [call] = await emulated.control("GET", "calls", endpoint="media_publish")
    assert (call["status"], call["fault"]) == (502, kind)


async def test_throttled_account(emulated, account, clock):
    """A throttle refuses every call of its account and tells the minutes, until they have passed; others go on."""
    other = await emulated.new_account()
    await _order(emulated, kind="throttle", seconds=300, ig_user_id=account["ig_user_id"])

    answers = [await emulated.graph(account, "GET", "/me") for _ in range(2)]

    assert [answer.error for answer in answers] == [(80002, None)] * 2
    assert await _regain_minutes(answers[1]) == 5
    assert (await emulated.graph(other, "GET", "/me")).status == 200
    clock.advance(300)
    answer = await emulated.graph(account, "GET", "/me")
    assert (answer.status, await _regain_minutes(answer)) == (200, 0)


async def test_throttled_application(emulated, account, clock):
    """A throttle with code 4 is the whole application's."""
    other = await emulated.new_account()
    await _order(emulated, kind="throttle", code=4, seconds=60)
    await emulated.graph(account, "GET", "/me")

    answer = await emulated.graph(other, "GET", "/me")

    assert (answer.status, answer.error) == (403, (4, None))
    assert json.loads(answer.headers["X-App-Usage"])["call_count"] == 100
    clock.advance(60)
    assert (await emulated.graph(other, "GET", "/me")).status == 200


async def test_allowance_is_enforced_where_chosen(start, clock):
    """Beyond the allowance calls are refused until those of a day ago no longer count."""
    emulated = await start(enforce_allowance=True, account_calls_per_day=3)
    account = await emulated.new_account()

    answers = [await emulated.graph(account, "GET", "/me") for _ in range(5)]

    assert [answer.status for answer in answers] == [200] * 3 + [400] * 2
    assert answers[4].error == (80002, None)
    minutes = await _regain_minutes(answers[4])
    assert 23 * 60 <= minutes <= 24 * 60
    clock.advance(minutes * 60)
    assert (await emulated.graph(account, "GET", "/me")).status == 200


async def test_allowance_of_the_application(start, clock):
    """The application's allowance is one for all accounts, by the hour."""
    emulated = await start(enforce_allowance=True, app_calls_per_hour=2)
    accounts = [await emulated.new_account() for _ in range(3)]

    answers = [await emulated.graph(account, "GET", "/me") for account in accounts]

    assert [answer.status for answer in answers] == [200, 200, 403]
    clock.advance(3600)
    assert (await emulated.graph(accounts[0], "GET", "/me")).status == 200


async def test_token_revoked(emulated, account):
    """From the call on that meets it the account's tokens are 190 / 460; a new consent opens it again."""
    other = await emulated.new_account()
    await _order(emulated, kind="token_revoked", ig_user_id=account["ig_user_id"])

    answers = [await emulated.graph(account, "GET", "/me") for _ in range(2)]

    assert [answer.error for answer in answers] == [(190, 460)] * 2
    assert (await emulated.graph(other, "GET", "/me")).status == 200
    app = {"client_id": "1", "redirect_uri": "http://127.0.0.1/"}
    asked = {**app, "response_type": "code", "scope": "instagram_business_basic", "username": account["username"]}
    url = f"{emulated.origin}/oauth/authorize"
    async with emulated.session.post(url, data=asked, allow_redirects=False) as response:
        code = response.headers["Location"].partition("code=")[2].partition("#")[0]
    form = {**app, "client_secret": "x", "grant_type": "authorization_code", "code": code}
    token = (await emulated.call("POST", "/oauth/access_token", data=form)).body["access_token"]
    assert (await emulated.call("GET", f"/me?access_token={token}")).status == 200


async def test_slow_processing(emulated, account, clock, images):
    """A container takes as long as it was told to."""
    await _order(emulated, kind="slow_processing", seconds=900)
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg")).body["id"]

    clock.advance(899)
    assert await emulated.status_of(account, container_id) == "IN_PROGRESS"
    clock.advance(1)
    assert await emulated.status_of(account, container_id) == "FINISHED"


async def test_container_error(start, clock, images):
    """A container is IN_PROGRESS first and then fails with the subcode it was told to."""
    emulated = await start(processing_s=5)
    account = await emulated.new_account()
    await _order(emulated, kind="container_error", code=-1, subcode=2207082)
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg")).body["id"]

    assert await emulated.status_of(account, container_id) == "IN_PROGRESS"
    clock.advance(5)
    shown = (await emulated.graph(account, "GET", f"/{container_id}", fields="status_code,status")).body

    assert (shown["status_code"], "2207082" in shown["status"]) == ("ERROR", True)


async def test_not_ready_after_finished(emulated, account, images):
    """A FINISHED container may be refused as not ready, and published at the next call."""
    container_id = await emulated.finished(account, image_url=f"{images.origin}/good.jpg")
    await _order(emulated, kind="not_ready")

    answers = [await emulated.publish(account, container_id) for _ in range(2)]

    assert (answers[0].error, answers[1].status) == ((9007, 2207027), 200)


async def test_read_glitch(emulated, account, images):
    """A read may not find what is there; writes do not meet this fault."""
    await _order(emulated, kind="read_glitch")
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg")).body["id"]

    assert (await emulated.graph(account, "GET", f"/{container_id}")).error == (100, 33)
    assert (await emulated.graph(account, "GET", f"/{container_id}")).status == 200


async def test_chance_of_a_fault_can_be_repeated(emulated, account):
    """With a probability a fault meets some calls, the same ones for the same seed."""
    runs = []
    for seed in (7, 7, 8):
        await _order(emulated, kind="error", probability=0.3, times=100_000, seed=seed)
        runs.append([(await emulated.graph(account, "GET", "/me")).status for _ in range(60)])
        await emulated.control("DELETE", "faults")

    assert runs[0] == runs[1] != runs[2]
    state = (await emulated.call("GET", "/_emulator/")).body
    assert state["faults_met"] == {"error": sum(run.count(500) for run in runs)}
    assert state["calls"] == {"get_account": 180}
    assert 5 <= runs[0].count(500) <= 35
    assert await emulated.control("GET", "faults") == []


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"endpoint": "get_account", "kind": "not_ready"}, "media_publish"),
        ({"endpoint": "media_publish", "kind": "read_glitch"}, "get_container"),
        ({"endpoint": "any", "kind": "slow_processing"}, "seconds"),
        ({"endpoint": "any", "kind": "error", "probability": 0}, "probability"),
        ({"endpoint": "any", "kind": "error", "probability": 1.1}, "probability"),
        ({"endpoint": "any", "kind": "slow_processing", "seconds": 1, "code": 1}, "code"),
    ],
)
async def test_fault_that_cannot_happen(emulated, fault, word):
    """A fault that cannot happen so is refused with a sentence."""
    answer = await emulated.call("POST", "/_emulator/faults", json=fault)

    assert (answer.status, word in answer.body["error"]) == (400, True)
