from __future__ import annotations

import pytest

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def _page(emulated, path: str) -> str:
    async with emulated.session.get(f"{emulated.origin}{path}", headers=BROWSER) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        return str(await response.text())


@pytest.fixture
async def pair(emulated):
    return await emulated.control("POST", "accounts", [{"username": "kaffee_haus"}, {"username": "atelier"}])


async def test_wall_shows_what_is_live(emulated, images, pair):
    """A person sees every post newest first, with account, words, time and permalink; a client still gets JSON."""
    for number, account in enumerate(pair):
        await emulated.post(account, f"{images.origin}/good.jpg", caption=f"<script>{number}</script>")
    links = [media["permalink"] for media in await emulated.control("GET", "media")]

    page = await _page(emulated, "/_emulator/")

    assert page.index(links[1]) < page.index(links[0])
    assert page.index("&lt;script&gt;1") < page.index("&lt;script&gt;0")
    assert "<script" not in page
    assert "<b>2</b> posts" in page
    assert (await emulated.call("GET", "/_emulator/")).body["media"] == 2


async def test_wall_of_one_account(emulated, images, pair):
    """The wall can be narrowed to one account, by name or id; what was asked is harmless."""
    for account in pair:
        await emulated.post(account, f"{images.origin}/good.jpg", caption=f"by {account['username']}")

    for asked in ("atelier", pair[1]["ig_user_id"]):
        page = await _page(emulated, f"/_emulator/?account={asked}")
        assert ("by atelier" in page, "by kaffee_haus" in page) == (True, False)
    assert '"><u>' not in await _page(emulated, '/_emulator/?account="><u>')


async def test_wall_shows_every_format(emulated, account, images):
    """Videos play, a carousel shows all its items, stories are marked and leave after a day."""
    picture, video = f"{images.origin}/good.jpg", f"{images.origin}/reel.mp4"
    item = {"is_carousel_item": "true", "image_url": picture, "alt_text": "A lake"}
    children = ",".join([await emulated.finished(account, **item) for _ in range(2)])
    for params in (
        {"media_type": "REELS", "video_url": video},
        {"media_type": "STORIES", "image_url": picture, "caption": "words of a story"},
        {"media_type": "CAROUSEL", "children": children},
    ):
        await emulated.publish(account, await emulated.finished(account, **params))

    page = await _page(emulated, "/_emulator/")

    assert page.count("<video") == 1
    assert video in page
    assert 'class="card story"' in page
    assert "words of a story" not in page
    assert "<b>1</b> stories" in page
    assert "2/2" in page
    assert page.count('alt="A lake"') == 2
    [carousel] = [media for media in await emulated.control("GET", "media") if media["kind"] == "carousel"]
    assert "2/2" in await _page(emulated, carousel["permalink"].removeprefix(emulated.origin))


async def test_cover_cannot_change_the_page(emulated, account, images):
    """A cover's URL stays a URL, whatever it holds."""
    cover = f'{images.origin}/good.jpg?x=");color:red'
    reel = {"media_type": "REELS", "video_url": f"{images.origin}/reel.mp4", "cover_url": cover}
    await emulated.publish(account, await emulated.finished(account, **reel))

    page = await _page(emulated, "/_emulator/")

    assert "good.jpg?x=%22%29;color:red&quot;)" in page


async def test_wall_leaves_out_ended_stories(emulated, account, clock, images):
    """A story that is over is not on the wall."""
    story = {"media_type": "STORIES", "image_url": f"{images.origin}/good.jpg"}
    await emulated.publish(account, await emulated.finished(account, **story))
    clock.advance(24 * 3600)

    assert "Nothing is live" in await _page(emulated, "/_emulator/")


async def test_wall_goes_on(emulated, account, images, monkeypatch):
    """Older posts are a page away."""
    monkeypatch.setattr("deploy.emulator.pages.wall._SHOWN", 2)
    for number in range(3):
        await emulated.post(account, f"{images.origin}/good.jpg", caption=f"number {number}")

    page = await _page(emulated, "/_emulator/")
    assert ("number 1" in page, "number 0" in page) == (True, False)
    older = page.rpartition('<a href="?')[2].partition('"')[0].replace("&amp;", "&")
    assert "number 0" in await _page(emulated, f"/_emulator/?{older}")


async def test_picture_stays_when_its_address_is_gone(emulated, account, images):
    """The wall shows a picture from the emulator itself, though its URL opens no longer."""
    await emulated.post(account, f"{images.origin}/good.jpg")
    images.serve("good.jpg", b"", status=404)

    page = await _page(emulated, "/_emulator/")

    preview = page.partition('<img src="')[2].partition('"')[0]
    async with emulated.session.get(f"{emulated.origin}{preview}") as response:
        assert (response.status, response.content_type) == (200, "image/jpeg")


async def test_wall_tells_orders(start):
    """Options that are not as usual and faults that wait are seen at a glance; a secret is not."""
    emulated = await start(quota_total=7, app_secret="hush")
    await emulated.control("POST", "faults", {"endpoint": "any", "kind": "drop_after", "probability": 0.02})

    page = await _page(emulated, "/_emulator/?refresh=on")

    assert "quota_total = 7" in page
    assert "drop_after on any: 1 left, 2% of calls" in page
    assert 'http-equiv="refresh"' in page
    assert "hush" not in page
