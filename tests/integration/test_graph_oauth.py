"""Connecting an account: the page, the code, the tokens, and every answer that is none."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.instagram import (
    INSTAGRAM_LOGIN,
    NOT_ON_APP,
    AppUnknownError,
    ErrorClass,
    GraphError,
    GraphUnclearError,
    InstagramError,
    OAuthClient,
    open_graph_session,
    open_oauth_client,
)
from shared.settings import load_settings
from tests.platforms import ACCOUNT, TOKEN, Handler, Platform, everything_said, platform, refuses, says

SECRET, CODE, SHORT = "app-secret-of-no-app", "AQBx-code-of-an-owner", "IGAA-short-lived-token"
WITHOUT_APP = {
    "DATABASE_URL": "postgresql://app@db.test/app",
    "REDIS_URL": "redis://cache.test/0",
    "AMQP_URL": "amqp://broker.test/",
    "TOKEN_KEYS": f"one:{base64.b64encode(bytes(32)).decode()}",
    "CURSOR_SECRET": "cursor-secret-of-nobody",
    "API_KEY_PEPPER": "pepper-of-nobody-at-all",
}
BACK = "https://distro.test/v1/oauth/instagram/callback"


def oauth_of(session, base_url):
    return OAuthClient(session, base_url=base_url, app_id="990", app_secret=SECRET, redirect_uri=BACK, deadline_s=10)


@asynccontextmanager
async def app_on(answer: Handler) -> AsyncIterator[tuple[OAuthClient, Platform]]:
    """The app before a platform with one answer."""
    served = Platform(answer)
    web_app = web.Application()
    web_app.router.add_route("*", "/{rest:.*}", served.handle)
    async with TestServer(web_app) as server, open_graph_session() as session:
        yield oauth_of(session, str(server.make_url("/"))), served


@pytest.mark.parametrize(
    ("base_url", "page"),
    [
        ("https://graph.instagram.com", "https://www.instagram.com/oauth/authorize"),
        ("http://emulator:8090/", "http://emulator:8090/oauth/authorize"),
    ],
)
async def test_the_page_where_an_owner_grants_access(base_url, page):
    """It is Meta's, or a stand-in's, and carries the app, the way back, the scopes and the state, but no secret."""
    async with open_graph_session() as session:
        url = oauth_of(session, base_url).authorize_url(state="s&1", scopes=INSTAGRAM_LOGIN.publish_scopes)

    assert url.partition("?")[0] == page
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["990"],
        "redirect_uri": [BACK],
        "response_type": ["code"],
        "scope": ["instagram_business_basic,instagram_business_content_publish"],
        "state": ["s&1"],
    }


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"access_token": SHORT, "user_id": "17841400000000001", "permissions": "a,b"}]},
        {"access_token": SHORT, "user_id": 17841400000000001, "permissions": ["a", "b"]},
    ],
    ids=["documented", "seen"],
)
async def test_a_code_becomes_a_token(answer):
    """Both shapes of the answer are read; what the browser left behind the code is cut off."""
    async with app_on(says(answer)) as (oauth, served):
        grant = await oauth.exchange_code(f"{CODE}#_")

    (request,) = served.seen
    assert (request.method, request.target, request.authorization) == ("POST", "/oauth/access_token", None)
    assert request.form == {
        "client_id": "990",
        "client_secret": SECRET,
        "grant_type": "authorization_code",
        "redirect_uri": BACK,
        "code": CODE,
    }
    assert (grant.access_token, grant.user_id, grant.scopes) == (SHORT, "17841400000000001", frozenset("ab"))


async def test_a_short_token_becomes_a_long_one():
    """The exchange is unversioned on the API's host."""
    answer = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 5184000}
    async with app_on(says(answer)) as (oauth, served):
        grant = await oauth.exchange_token(SHORT)

    (request,) = served.seen
    query = f"grant_type=ig_exchange_token&client_secret={SECRET}&access_token={SHORT}"
    assert (request.method, request.target, request.authorization) == ("GET", f"/access_token?{query}", None)
    assert (grant.access_token, grant.expires_in_s, grant.scopes) == (TOKEN, 5184000, None)


@pytest.mark.parametrize("status", [400, 401, 403, 200])
async def test_a_refused_code_says_what_to_do(status):
    """The envelope of this one endpoint is a refusal, and its code, a mere HTTP status, is none of the platform's."""
    answer = {"error_type": "OAuthException", "code": 400, "error_message": f"{CODE} of {SECRET} has been used"}
    async with app_on(says(answer, status)) as (oauth, _):
        with pytest.raises(GraphError) as caught:
            await oauth.exchange_code(CODE)

    error = caught.value
    assert (error.code, error.http_status, error.error_class) == (None, status, ErrorClass.REAUTH)
    assert error.message == "[secret] of [secret] has been used"
    assert "Let the owner start again" in str(error)


async def test_too_many_codes_are_a_throttle():
    """A limit on this endpoint is no fault of the owner's."""
    answer = {"error_type": "OAuthRateLimitException", "code": 429, "error_message": "slow down"}
    async with app_on(says(answer, 429)) as (oauth, _):
        with pytest.raises(GraphError) as caught:
            await oauth.exchange_code(CODE)

    assert caught.value.error_class is ErrorClass.THROTTLED


async def test_an_account_that_the_app_may_not_have_is_told_apart():
    """What reads like an unsupported method is an account outside the app, known by code and type, not by words."""
    trap = refuses(400, code=100, type="IGApiException", message="any words")
    caught: list[GraphError] = []
    async with app_on(trap) as (oauth, _), platform(trap) as (client, _):
        for call in (oauth.exchange_token(SHORT), client.profile(ACCOUNT), client.refresh_token(ACCOUNT)):
            with pytest.raises(GraphError, match="not allowed on this app") as refused:
                await call
            caught.append(refused.value)
        with pytest.raises(GraphError) as elsewhere:
            await client.media(ACCOUNT, "1")

    assert [error.rule for error in caught] == [NOT_ON_APP] * 3
    assert elsewhere.value.error_class is ErrorClass.FIX_CONTENT


@pytest.mark.parametrize("token", [None, "", " ", "short", 7, "with a space", "x" * 4097])
async def test_no_empty_answer_stands_for_a_token(token):
    """A success without a usable token is no success, on each of the three endpoints."""
    answer = says({"access_token": token, "user_id": "1", "expires_in": 5184000})
    async with app_on(answer) as (oauth, _), platform(answer) as (client, _):
        for call in (oauth.exchange_code(CODE), oauth.exchange_token(SHORT), client.refresh_token(ACCOUNT)):
            with pytest.raises(GraphUnclearError, match="the token is missing or malformed"):
                await call


async def test_the_secret_the_code_and_the_tokens_are_in_no_error_and_no_log(caplog):
    """However the token endpoints fail, neither their URLs nor what they quote get out."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []

    async def collect(call) -> None:
        try:
            await call
        except InstagramError as error:
            said.append(everything_said(error))

    def quoting(status: int) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            quoted = " ".join([*request.query.values(), *map(str, (await request.post()).values())])
            error = {"message": quoted, "fbtrace_id": quoted, "code": 190}
            return web.json_response({"error": error} if status == 400 else {"access_token": quoted}, status=status)

        return answer

    for status in (200, 400, 502):
        async with app_on(quoting(status)) as (oauth, _), platform(quoting(status)) as (client, _):
            await collect(oauth.exchange_code(CODE))
            await collect(oauth.exchange_token(SHORT))
            await collect(client.refresh_token(ACCOUNT))
    async with open_graph_session() as session:
        await collect(oauth_of(session, "http://127.0.0.1:1").exchange_token(SHORT))

    ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # not the server's
    shown = "\n".join(said + ours)
    assert len(said) == 3 * 3 + 1
    assert not [secret for secret in (SECRET, CODE, SHORT, TOKEN) if secret in shown]


async def test_without_an_app_nobody_is_connected():
    """The error names the settings that are missing."""
    settings = load_settings(WITHOUT_APP)

    with pytest.raises(AppUnknownError, match="INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET"):
        async with open_oauth_client(settings, redirect_uri=BACK):
            pass
