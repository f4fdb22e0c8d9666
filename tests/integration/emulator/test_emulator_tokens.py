from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

DAY_S = 86_400
APP = {"client_id": "42", "redirect_uri": "http://127.0.0.1/callback?from=here"}
SCOPES = "instagram_business_basic,instagram_business_content_publish"


async def _consent(emulated, account, **form: str):
    """The answer of a person on the consent page: where the browser is sent."""
    asked = {**APP, "response_type": "code", "scope": SCOPES, "state": "s1", "decision": "allow"}
    path = f"{emulated.origin}/oauth/authorize"
    body = {**asked, "username": account["username"], **form}
    async with emulated.session.post(path, data=body, allow_redirects=False) as response:
        assert response.status == 302, await response.text()
        return urlsplit(response.headers["Location"])


async def _code(emulated, account, **form: str) -> str:
    return str(parse_qs((await _consent(emulated, account, **form)).query)["code"][0])


async def _exchange(emulated, code: str, **form: str):
    body = {**APP, "client_secret": "x", "grant_type": "authorization_code", "code": code, **form}
    return await emulated.call("POST", "/oauth/access_token", data=body)


async def _refresh(emulated, token: str):
    return await emulated.call("GET", f"/refresh_access_token?grant_type=ig_refresh_token&access_token={token}")


async def _is_open(emulated, token: str) -> bool:
    return bool((await emulated.call("GET", f"/me?access_token={token}")).status == 200)


async def _old_token(emulated, clock) -> str:
    token = (await emulated.new_account())["access_token"]
    clock.advance(DAY_S)
    return str(token)


async def test_page_asks_for_consent(emulated, account):
    """The page names the application and offers the accounts and permissions; texts of the link are harmless."""
    asked = {**APP, "client_id": "<b>42", "response_type": "code", "scope": SCOPES.replace(",", " ")}

    async with emulated.session.get(f"{emulated.origin}/oauth/authorize", params=asked) as response:
        page = await response.text()

    assert response.status == 200
    assert "&lt;b&gt;42" in page
    assert account["username"] in page
    assert all(scope in page for scope in SCOPES.split(","))


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": ""},
        {"redirect_uri": "javascript:alert(1)"},
        {"response_type": "token"},
        {"scope": "everything"},
        {"scope": "instagram_business_content_publish"},
    ],
)
async def test_link_that_asks_wrongly(emulated, change):
    """A link that the platform would not open is a page that says why, never a redirect."""
    asked = {**APP, "response_type": "code", "scope": SCOPES, **change}

    async with emulated.session.get(
        f"{emulated.origin}/oauth/authorize", params=asked, allow_redirects=False
    ) as response:
        assert response.status == 400
        assert next(iter(change)) in await response.text()


async def test_consent_and_refusal(emulated, account):
    """A consent goes back with code and state, a refusal with an error; what stood in redirect_uri stays."""
    allowed = await _consent(emulated, account)
    denied = await _consent(emulated, account, decision="deny")

    assert allowed.fragment == "_"
    query = parse_qs(allowed.query)
    assert (query["from"], query["state"], len(query["code"])) == (["here"], ["s1"], 1)
    query = parse_qs(denied.query)
    assert (query["error"], query["error_reason"], query["state"]) == (["access_denied"], ["user_denied"], ["s1"])
    assert "code" not in query


async def test_code_becomes_a_long_lived_token(emulated, account, clock):
    """A code becomes a token of an hour, that one of 60 days, and both open the account."""
    granted = (await _exchange(emulated, await _code(emulated, account))).body
    short = granted["access_token"]
    path = f"/access_token?grant_type=ig_exchange_token&client_secret=x&access_token={short}"

    long = (await emulated.call("GET", path)).body

    me = (await emulated.call("GET", f"/me?fields=id,user_id&access_token={long['access_token']}")).body
    assert me["user_id"] == account["ig_user_id"]
    assert granted["user_id"] == int(me["id"])
    assert granted["permissions"] == SCOPES.split(",")
    assert (long["token_type"], long["expires_in"]) == ("bearer", 60 * DAY_S)
    clock.advance(3600)
    assert (await emulated.call("GET", f"/me?access_token={short}")).error == (190, 463)
    clock.advance(60 * DAY_S - 3601)
    assert await _is_open(emulated, long["access_token"])
    clock.advance(2)
    assert (await emulated.call("GET", f"/me?access_token={long['access_token']}")).error == (190, 463)


async def test_code_is_of_one_use_and_one_hour(emulated, account, clock):
    """A used, an old and an unknown code, another address or application are 400 in the form of this call."""
    used, old = await _code(emulated, account), await _code(emulated, account)
    await _exchange(emulated, used)
    fresh = await _code(emulated, account)
    answers = [
        await _exchange(emulated, used),
        await _exchange(emulated, "nonsense"),
        await _exchange(emulated, fresh, redirect_uri="http://127.0.0.1/callback"),
        await _exchange(emulated, fresh, client_id="43"),
        await _exchange(emulated, fresh, client_secret=""),
        await _exchange(emulated, fresh, grant_type="refresh"),
    ]
    clock.advance(3600)
    answers.append(await _exchange(emulated, old))

    assert [answer.status for answer in answers] == [400] * 7
    assert {tuple(answer.body) for answer in answers} == {("error_type", "code", "error_message")}


async def test_application_is_checked_where_chosen(start):
    """With an application's id and secret in the options no others pass."""
    emulated = await start(app_id="42", app_secret="right")
    account = await emulated.new_account()
    code = await _code(emulated, account)

    assert (await _exchange(emulated, code, client_secret="wrong")).status == 400
    assert (await _exchange(emulated, code, client_secret="right")).status == 200
    asked = {**APP, "client_id": "43", "response_type": "code", "scope": SCOPES}
    async with emulated.session.get(f"{emulated.origin}/oauth/authorize", params=asked) as response:
        assert response.status == 400


async def test_shapes_of_the_documentation(start, clock):
    """Where chosen, the code's answer and /me are wrapped and the refresh is short, as the samples show them."""
    emulated = await start(answer_shape="documented")
    account = await emulated.new_account()

    granted = (await _exchange(emulated, await _code(emulated, account))).body["data"]
    clock.advance(DAY_S)
    refreshed = (await _refresh(emulated, account["access_token"])).body
    me = (await emulated.graph(account, "GET", "/me", fields="user_id")).body["data"]

    assert (granted[0]["permissions"], isinstance(granted[0]["user_id"], str)) == (SCOPES, True)
    assert set(refreshed) == {"access_token", "token_type", "expires_in"}
    assert me[0]["user_id"] == account["ig_user_id"]


async def test_refresh_needs_a_day(emulated, clock):
    """A token is refreshed at 24 h of age, for 60 days from then; by default it is another, and both are open."""
    token = (await emulated.new_account())["access_token"]
    assert (await _refresh(emulated, token)).error == (100, None)

    clock.advance(DAY_S)
    answer = (await _refresh(emulated, token)).body

    assert answer["expires_in"] == 60 * DAY_S
    assert answer["access_token"] != token
    assert "instagram_business_basic" in answer["permissions"].split(",")
    assert await _is_open(emulated, answer["access_token"])
    assert await _is_open(emulated, token)
    clock.advance(59 * DAY_S)
    assert (await _refresh(emulated, token)).error == (190, 463)


async def test_refresh_as_chosen(start, clock):
    """A refresh gives the same string, or ends the one before, where so chosen."""
    same = await start(refresh_gives="same")
    token = await _old_token(same, clock)
    assert (await _refresh(same, token)).body["access_token"] == token
    clock.advance(59 * DAY_S)
    assert await _is_open(same, token)

    ending = await start(refresh_ends_old=True)
    token = await _old_token(ending, clock)
    new = (await _refresh(ending, token)).body["access_token"]
    assert [await _is_open(ending, each) for each in (new, token)] == [True, False]


async def test_calls_need_their_permission(emulated, account):
    """A call without its permission is 10; granted again it works, with the same token."""
    own = f"/{account['ig_user_id']}"
    body = {"ig_user_id": account["ig_user_id"], "permissions": ["instagram_business_basic"]}
    await emulated.control("POST", "permissions", body)

    answers = [
        await emulated.graph(account, "POST", f"{own}/media", image_url="http://127.0.0.1/a.jpg"),
        await emulated.graph(account, "POST", f"{own}/media_publish", creation_id="1"),
        await emulated.graph(account, "GET", f"{own}/insights", metric="reach"),
    ]
    assert [answer.error for answer in answers] == [(10, None)] * 3
    assert (await emulated.graph(account, "GET", "/me")).status == 200

    await emulated.control("POST", "permissions", {**body, "permissions": []})
    assert (await emulated.graph(account, "GET", "/me")).error == (10, None)
    await _consent(emulated, account)
    assert (await emulated.graph(account, "GET", "/me")).status == 200
    refused = await emulated.call("POST", "/_emulator/permissions", json={**body, "permissions": ["everything"]})
    assert refused.status == 400
