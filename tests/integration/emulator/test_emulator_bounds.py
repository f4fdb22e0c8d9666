from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.emulator import inspection, state
from tests.waiting import until


async def _captions(emulated, **account: str) -> list[str]:
    return [media["caption"] for media in await emulated.control("GET", "media", **account)]


async def test_posts_of_an_account_are_bounded(emulated, account, images, monkeypatch):
    """Beyond the bound of an account its oldest post is forgotten, by list and id alike."""
    monkeypatch.setattr(state, "MEDIA_KEPT_PER_ACCOUNT", 2)
    ids = [await emulated.post(account, f"{images.origin}/good.jpg", caption=str(number)) for number in range(3)]

    assert await _captions(emulated) == ["1", "2"]
    assert (await emulated.graph(account, "GET", f"/{ids[0]}")).error == (100, 33)
    listed = (await emulated.graph(account, "GET", f"/{account['ig_user_id']}/media")).body["data"]
    assert [post["id"] for post in listed] == [ids[2], ids[1]]


async def test_posts_of_all_accounts_are_bounded(emulated, images, monkeypatch):
    """Beyond the bound of all posts the oldest of all is forgotten, also by its account."""
    monkeypatch.setattr(state, "MEDIA_KEPT", 3)
    accounts = await emulated.control("POST", "accounts", {"count": 2})
    for number in range(4):
        await emulated.post(accounts[number % 2], f"{images.origin}/good.jpg", caption=str(number))

    assert await _captions(emulated) == ["1", "2", "3"]
    assert await _captions(emulated, ig_user_id=accounts[0]["ig_user_id"]) == ["2"]


async def test_containers_are_bounded(emulated, account, images, monkeypatch):
    """Beyond the bound of containers the oldest is forgotten."""
    monkeypatch.setattr(state, "CONTAINERS_KEPT", 2)
    ids = [(await emulated.create(account, f"{images.origin}/good.jpg")).body["id"] for _ in range(3)]

    assert (await emulated.publish(account, ids[0])).error == (24, 2207008)
    assert (await emulated.publish(account, ids[1])).status == 200


async def test_calls_are_bounded(emulated, monkeypatch):
    """Beyond the bound of calls the oldest is forgotten."""
    monkeypatch.setattr("deploy.emulator.calls.CALLS_KEPT", 2)
    await emulated.control("POST", "reset")
    monkeypatch.undo()
    account = await emulated.new_account()
    for path in ("/me", f"/{account['ig_user_id']}/media", "/me"):
        await emulated.graph(account, "GET", path)

    calls = await emulated.control("GET", "calls")
    assert [call["endpoint"] for call in calls] == ["list_media", "get_account"]


async def test_videos_on_the_way_in_are_bounded(emulated, account, images):
    """However many reels are due at once, a few of their files are on disk at a time."""
    content, asked, released = images.answers["reel.mp4"][0], [], asyncio.Event()

    async def serve(request: web.Request) -> web.Response:
        asked.append(request.path)
        await released.wait()
        return web.Response(body=content, content_type="video/mp4")

    async def as_many_as_may() -> bool:
        return len(asked) >= inspection.VIDEOS_AT_ONCE

    app = web.Application()
    app.router.add_get("/{name}", serve)
    async with TestServer(app, host="127.0.0.1") as host:
        urls = [str(host.make_url(f"/{number}.mp4")) for number in range(3 * inspection.VIDEOS_AT_ONCE)]
        made = [await emulated.make(account, media_type="REELS", video_url=url) for url in urls]
        await until(as_many_as_may, what="the first videos are asked for")
        at_once = len(asked)
        released.set()
        ends = {await emulated.settled(account, each.body["id"]) for each in made}

    assert (at_once, len(asked), ends) == (inspection.VIDEOS_AT_ONCE, len(urls), {"FINISHED"})
