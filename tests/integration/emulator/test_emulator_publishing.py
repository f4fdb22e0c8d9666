from __future__ import annotations

import time


async def test_post_goes_live_once(emulated, account, images):
    """A published container is one live post with the caption as sent."""
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg", caption="Grüße & #eins")).body["id"]

    published = await emulated.publish(account, container_id)

    [media] = await emulated.control("GET", "media", ig_user_id=account["ig_user_id"])
    assert media["id"] == published.body["id"]
    assert media["container_id"] == container_id
    assert media["caption"] == "Grüße & #eins"
    assert media["image_url"] == f"{images.origin}/good.jpg"


async def test_publishing_too_early_is_refused(start, clock, images):
    """Before FINISHED the answer is 9007 / 2207027 and nothing goes live; after it the same container publishes."""
    emulated = await start(processing_s=10.0)
    account = await emulated.new_account()
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg")).body["id"]

    early = await emulated.publish(account, container_id)

    assert (early.status, early.error) == (400, (9007, 2207027))
    assert early.body["error"]["is_transient"] is False
    assert await emulated.control("GET", "media") == []
    clock.advance(10)
    assert (await emulated.publish(account, container_id)).status == 200


async def test_container_publishes_once_by_default(emulated, account, images):
    """Publishing a container again is refused unless chosen otherwise."""
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg")).body["id"]
    await emulated.publish(account, container_id)

    assert (await emulated.publish(account, container_id)).error == (9007, 2207027)
    assert len(await emulated.control("GET", "media")) == 1


async def test_container_publishes_twice_where_chosen(emulated, images):
    """With double_publish "twice" every publish of a container makes another post, each counted by the quota."""
    await emulated.control("POST", "reset", {"double_publish": "twice"})
    account = await emulated.new_account()
    container_id = (await emulated.create(account, f"{images.origin}/good.jpg")).body["id"]

    ids = [(await emulated.publish(account, container_id)).body["id"] for _ in range(2)]

    live = await emulated.control("GET", "media")
    assert [media["id"] for media in live] == ids
    assert {media["container_id"] for media in live} == {container_id}
    limit = await emulated.graph(account, "GET", f"/{account['ig_user_id']}/content_publishing_limit")
    assert limit.body == {"data": [{"quota_usage": 2}]}


async def test_unusable_creation_ids(emulated, account, images):
    """A missing, an unknown and another account's creation id are told apart, and publish nothing."""
    other = await emulated.new_account()
    foreign = (await emulated.create(other, f"{images.origin}/good.jpg")).body["id"]

    assert (await emulated.publish(account, "")).error == (100, None)
    assert (await emulated.publish(account, "18999999999999999")).error == (24, 2207008)
    assert (await emulated.publish(account, foreign)).error == (100, 33)
    assert await emulated.control("GET", "media") == []


async def test_quota_rolls_over_24_hours(start, clock, images):
    """Beyond the quota publishing answers 9 / 2207042 until the posts are a day old; other accounts are not touched."""
    emulated = await start(quota_total=2)
    account, other = [await emulated.new_account() for _ in range(2)]
    url = f"{images.origin}/good.jpg"
    path = f"/{account['ig_user_id']}/content_publishing_limit"
    await emulated.post(account, url)
    clock.advance(3600)
    await emulated.post(account, url)
    waiting = (await emulated.create(account, url)).body["id"]

    assert (await emulated.publish(account, waiting)).error == (9, 2207042)
    limit = await emulated.graph(account, "GET", path, fields="quota_usage,config")
    assert limit.body["data"] == [{"quota_usage": 2, "config": {"quota_total": 2, "quota_duration": 86400}}]
    assert await emulated.post(other, url)

    clock.advance(23 * 3600 + 1)
    assert (await emulated.publish(account, waiting)).status == 200


async def test_quota_since_a_moment(emulated, account, clock, images):
    """`since` narrows the count; a moment older than a day or no moment at all is refused."""
    path = f"/{account['ig_user_id']}/content_publishing_limit"
    await emulated.post(account, f"{images.origin}/good.jpg")
    clock.advance(100)

    recent = await emulated.graph(account, "GET", path, since=str(int(time.time()) + 50))
    assert recent.body == {"data": [{"quota_usage": 0}]}
    for bad in (str(int(time.time()) - 90_000), "yesterday", "-1"):
        assert (await emulated.graph(account, "GET", path, since=bad)).error == (100, None)
    assert (await emulated.graph(account, "GET", path, fields="nonsense")).error == (100, None)
