"""Nothing is planned that the platform could not fetch: media are fetched through PUBLIC_URL before."""

from __future__ import annotations

from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.security import open_public_fetch, public_fetch

WINDOW = {"from": "2030-01-01T10:00:00Z", "to": "2030-01-01T11:00:00Z"}


class Front:
    """What stands at PUBLIC_URL: it hands on to the gateway, or does what such servers do wrong."""

    def __init__(self):
        self.behaviour = "right"
        self.gateway_url = ""
        self.requests = []

    async def answer(self, request):
        self.requests.append(request)
        match self.behaviour:
            case "login":
                return web.Response(status=302, headers={"Location": "https://login.example.com/?next=media"})
            case "garbled":
                return web.Response(status=302, headers={"Location": "https://[nowhere/"})
            case "endless":
                return web.Response(status=302, headers={"Location": f"https://{'a' * 7_000}/"})
            case "page":
                return web.Response(text="<h1>Are you sure?</h1>", content_type="text/html")
            case "octets":
                return web.Response(body=b"\xff\xd8", content_type="application/octet-stream")
            case "empty":
                return web.Response(content_type="image/jpeg")
            case "forbidden":
                return web.Response(status=403)
            case "cut":
                request.transport.close()
                return web.Response()
        async with (
            aiohttp.ClientSession(auto_decompress=False) as http,
            http.get(self.gateway_url + request.path_qs, headers={"Range": request.headers["Range"]}) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)


@pytest.fixture
async def front():
    return Front()


@pytest.fixture
async def settings(settings, front):
    app = web.Application()
    app.router.add_get("/media/{key}", front.answer)
    async with TestServer(app) as server:
        yield replace(
            settings,
            public_url=str(server.make_url("")).rstrip("/"),
            public_fetch_test="on",
            instagram_graph_url="http://127.0.0.1:8090",
        )


@pytest.fixture
async def wish(gateway, front, alice):
    """A post, where it is to go, and how to say so by each of the two routes."""
    front.gateway_url = gateway.url
    accounts = await alice.add_accounts(1)
    group, post = await alice.add_group(accounts), await alice.add_post()

    async def make(route, **fields):
        if route == "publish":
            return await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts, **fields})
        path = "/v1/distributions?dry_run=true" if route == "plan" else "/v1/distributions"
        return await alice.post(path, json={"post_id": post, "group_id": group, "window": WINDOW, **fields})

    return make


async def test_a_fetched_medium_is_believed_for_a_while(gateway, front, wish):
    """The first call fetches the beginning of the file as anyone could; the next ones do not fetch again."""
    for route in ("publish", "distribute", "publish"):
        answer = await wish(route, allow_duplicate=True)
        assert answer.status == 202, answer.body

    [request] = front.requests
    assert request.headers["Range"].startswith("bytes=0-")
    assert "Authorization" not in request.headers
    [row] = await gateway.rows("SELECT * FROM media")
    assert row["fetched_at"] is not None
    assert row["unreachable_since"] is None

    await gateway.rows("UPDATE media SET fetched_at = now() - interval '11 minutes'")
    await wish("publish", allow_duplicate=True)
    assert len(front.requests) == 2


SEEN = {
    "login": "login.example.com",
    "garbled": "no URL",
    "endless": f"to {'a' * 100} with",
    "page": "text/html",
    "octets": "application/octet-stream",
    "empty": "empty",
    "forbidden": "403",
    "cut": "no answer came",
}


async def test_what_the_platform_could_not_fetch_is_not_planned(gateway, front, wish):
    """The answer says what was seen and what to do, nothing is written, and the row keeps why."""
    for behaviour, words in SEEN.items():
        front.behaviour = behaviour
        for route in ("publish", "distribute"):
            answer = await wish(route)

            assert (answer.status, answer.body["code"]) == (422, "media_unreachable"), behaviour
            assert words in answer.body["detail"]
            assert "PUBLIC_FETCH_TEST=off" in answer.body["detail"]
            assert [fault["path"] for fault in answer.body["errors"]] == ["media_ids[0]"]
            assert "signature" not in answer.content.decode()
    assert await gateway.count("publications") == 0
    [row] = await gateway.rows("SELECT * FROM media")
    assert SEEN["cut"] in row["unreachable_reason"]

    front.behaviour = "right"
    assert (await wish("publish")).status == 202
    events = await gateway.rows("SELECT type FROM events WHERE type LIKE 'media%' ORDER BY seq")
    assert [row["type"] for row in events] == ["media.unreachable", "media.reachable"]


async def test_a_look_that_takes_too_long_is_given_up(wish, monkeypatch):
    """A look ends at its deadline, whatever stands at PUBLIC_URL."""
    monkeypatch.setattr(public_fetch, "LOOK_DEADLINE_S", 0.0)

    answer = await wish("publish")

    assert (answer.status, answer.body["code"]) == (422, "media_unreachable")
    assert "nothing answered within" in answer.body["detail"]


async def test_a_plan_that_is_only_shown_fetches_nothing(front, wish):
    """A dry run tells who would publish when, and asks nobody."""
    front.behaviour = "forbidden"

    answer = await wish("plan")

    assert (answer.status, answer.body["publications"]) == (200, 1)
    assert front.requests == []


@pytest.mark.parametrize(
    ("public_url", "words"),
    [
        ("http://posts.example.com", "https:// only"),
        ("https://127.0.0.1", "not on the public internet"),
        ("https://[::1]", "not on the public internet"),
        ("https://192.168.1.7:8443", "not on the public internet"),
        ("https://localhost", "not on the public internet"),
    ],
)
async def test_the_real_platform_needs_a_public_address(settings, public_url, words):
    """With Meta's own API an address that its servers cannot reach is refused, without a request."""
    real = replace(settings, public_url=public_url, instagram_graph_url="https://graph.instagram.com")
    fetch = open_public_fetch(real)
    assert fetch is not None

    assert words in (await fetch.look("key.jpg", mime="image/jpeg") or "")


async def test_the_test_can_be_turned_off(settings):
    """Where this network cannot reach PUBLIC_URL, nothing is fetched."""
    assert open_public_fetch(replace(settings, public_fetch_test="off")) is None
