from __future__ import annotations

import json

import pytest


@pytest.fixture
async def item(emulated, account, images):
    """Make a FINISHED item."""

    async def item(whose=None, **params: str) -> str:
        params = params or {"image_url": f"{images.origin}/good.jpg"}
        return str(await emulated.finished(whose or account, is_carousel_item="true", **params))

    return item


async def _carousel(emulated, account, children: str, **params: str):
    return await emulated.make(account, media_type="CAROUSEL", children=children, **params)


async def test_carousel_is_one_post_with_its_items(emulated, account, images, item):
    """Items of both kinds become one post: children as field and edge, in order, without a permalink of their own."""
    video = await item(media_type="VIDEO", video_url=f"{images.origin}/reel.mp4")
    children = [await item(), video, await item()]
    parent = (await _carousel(emulated, account, ",".join(children), caption="Three")).body["id"]

    media_id = (await emulated.publish(account, parent)).body["id"]

    [media] = await emulated.control("GET", "media")
    assert [each["container_id"] for each in media["children"]] == children
    node = (await emulated.graph(account, "GET", f"/{media_id}", fields="media_type,children{id,media_type}")).body
    assert node["media_type"] == "CAROUSEL_ALBUM"
    assert [child["media_type"] for child in node["children"]["data"]] == ["IMAGE", "VIDEO", "IMAGE"]
    edge = await emulated.graph(account, "GET", f"/{media_id}/children", fields="id,permalink,media_product_type")
    ids = [child["id"] for child in node["children"]["data"]]
    assert edge.body["data"] == [{"id": each, "media_product_type": "FEED"} for each in ids]
    assert (await emulated.graph(account, "GET", f"/{ids[1]}", fields="media_url")).body["media_url"]
    listed = (await emulated.graph(account, "GET", f"/{account['ig_user_id']}/media")).body["data"]
    assert listed == [{"id": media_id}]
    assert {await emulated.status_of(account, each) for each in (parent, *children)} == {"PUBLISHED"}
    limit = await emulated.graph(account, "GET", f"/{account['ig_user_id']}/content_publishing_limit")
    assert limit.body == {"data": [{"quota_usage": 1}]}


async def test_children_as_a_list(emulated, account, item):
    """Children are taken as a JSON list too, in a form and in a JSON body."""
    children = [await item(), await item()]
    path = f"/{account['ig_user_id']}/media?access_token={account['access_token']}"

    assert (await _carousel(emulated, account, json.dumps(children))).status == 200
    body = {"media_type": "CAROUSEL", "children": children}
    assert (await emulated.call("POST", path, json=body)).status == 200


@pytest.mark.parametrize("count", [0, 1, 11])
async def test_number_of_items(emulated, account, item, count):
    """A carousel takes 2 to 10 items."""
    child = await item()

    assert (await _carousel(emulated, account, ",".join([child] * count))).error == (100, 2207028)


async def test_items_that_cannot_be_used(start, clock, images):
    """Unknown, foreign, repeated, unfinished, failed and expired items, and posts of their own, are told apart."""
    emulated = await start(processing_s=10)
    account, other = [await emulated.new_account() for _ in range(2)]
    good, picture = f"{images.origin}/good.jpg", {"is_carousel_item": "true", "image_url": f"{images.origin}/good.jpg"}
    expired = (await emulated.make(account, **picture)).body["id"]
    clock.advance(86_400)
    fine, foreign, alone = (
        (await emulated.make(account, **picture)).body["id"],
        (await emulated.make(other, **picture)).body["id"],
        (await emulated.create(account, good)).body["id"],
    )
    await emulated.control("POST", "faults", {"endpoint": "any", "kind": "container_error"})
    failed = (await emulated.make(account, **picture)).body["id"]
    clock.advance(10)
    young = (await emulated.make(account, **picture)).body["id"]

    errors = {
        name: (await _carousel(emulated, account, f"{fine},{child}")).error
        for name, child in {
            "unknown": "18999999999999999",
            "foreign": foreign,
            "twice": fine,
            "alone": alone,
            "young": young,
            "failed": failed,
            "expired": expired,
        }.items()
    }

    assert errors == {
        "unknown": (24, 2207008),
        "foreign": (100, 33),
        "twice": (100, None),
        "alone": (100, None),
        "young": (9007, 2207027),
        "failed": (-1, 2207032),
        "expired": (-2, 2207020),
    }


async def test_item_is_no_post(emulated, account, item):
    """An item cannot be published on its own."""
    assert (await emulated.publish(account, await item())).error == (100, None)
    assert await emulated.control("GET", "media") == []


@pytest.mark.parametrize(("double_publish", "live"), [("refuse", 1), ("twice", 2)])
async def test_items_in_two_carousels(start, images, double_publish, live):
    """Two carousels of the same items are one post, or two where a container may be published twice."""
    emulated = await start(double_publish=double_publish)
    account = await emulated.new_account()
    picture = {"is_carousel_item": "true", "image_url": f"{images.origin}/good.jpg"}
    children = ",".join([await emulated.finished(account, **picture) for _ in range(2)])
    parents = [(await _carousel(emulated, account, children)).body["id"] for _ in range(2)]

    answers = [await emulated.publish(account, parent) for parent in parents]

    assert answers[0].status == 200
    assert len(await emulated.control("GET", "media")) == live
    if double_publish == "refuse":
        assert answers[1].error == (9007, 2207027)
        assert (await _carousel(emulated, account, children)).error == (9007, 2207027)
