from __future__ import annotations

import json
from collections.abc import Mapping

import pytest


def _tags(*tags: Mapping[str, object]) -> str:
    return json.dumps(tags)


ANNA = {"username": "anna", "x": 0.5, "y": 0.25}
NOWHERE = {"username": "anna"}

# What makes each format, beside the URL of its medium.
FORMATS = {
    "image": {"image_url": "good.jpg"},
    "reel": {"media_type": "REELS", "video_url": "reel.mp4"},
    "story_image": {"media_type": "STORIES", "image_url": "good.jpg"},
    "story_video": {"media_type": "STORIES", "video_url": "story.mp4"},
}
ITEM = {"is_carousel_item": "true", "image_url": "good.jpg"}
ITEM_VIDEO = {"is_carousel_item": "true", "media_type": "VIDEO", "video_url": "reel.mp4"}


def _at(origin: str, params: dict[str, str]) -> dict[str, str]:
    return {name: f"{origin}/{text}" if name.endswith("_url") else text for name, text in params.items()}


@pytest.fixture
async def make(emulated, account, images):
    """Create a container; URLs are named by their file."""

    async def make(params: dict[str, str], **more: str):
        return await emulated.make(account, **_at(images.origin, params | more))

    return make


@pytest.mark.parametrize(
    ("kind", "media_type", "product"),
    [
        ("image", "IMAGE", "FEED"),
        ("reel", "VIDEO", "REELS"),
        ("story_image", "IMAGE", "STORY"),
        ("story_video", "VIDEO", "STORY"),
    ],
)
async def test_each_format_goes_live(emulated, account, images, kind, media_type, product):
    """Each format becomes one live post of its type and product; a video shows a thumbnail that opens."""
    container_id = await emulated.finished(account, **_at(images.origin, FORMATS[kind]))

    media_id = (await emulated.publish(account, container_id)).body["id"]

    [media] = await emulated.control("GET", "media")
    assert (media["id"], media["container_id"], media["kind"]) == (media_id, container_id, kind)
    fields = "media_type,media_product_type,media_url,thumbnail_url,is_shared_to_feed"
    node = (await emulated.graph(account, "GET", f"/{media_id}", fields=fields)).body
    assert (node["media_type"], node["media_product_type"]) == (media_type, product)
    assert node["media_url"] == media["video_url" if media_type == "VIDEO" else "image_url"]
    assert ("thumbnail_url" in node) == (media_type == "VIDEO")
    assert ("is_shared_to_feed" in node) == (product == "REELS")
    if media_type == "VIDEO":
        async with emulated.session.get(node["thumbnail_url"]) as response:
            assert (response.status, response.content_type) == (200, "image/jpeg")


async def test_stories_live_a_day_apart_from_posts(emulated, account, clock, images):
    """Stories are not in the list of media; they are in that of stories, for 24 h."""
    post = await emulated.post(account, f"{images.origin}/good.jpg")
    story_id = await emulated.finished(account, **_at(images.origin, FORMATS["story_image"]))
    story = (await emulated.publish(account, story_id)).body["id"]
    own = f"/{account['ig_user_id']}"

    assert [each["id"] for each in (await emulated.graph(account, "GET", f"{own}/media")).body["data"]] == [post]
    assert [each["id"] for each in (await emulated.graph(account, "GET", f"{own}/stories")).body["data"]] == [story]
    clock.advance(24 * 3600)
    assert (await emulated.graph(account, "GET", f"{own}/stories")).body == {"data": []}
    assert (await emulated.graph(account, "GET", own, fields="media_count")).body["media_count"] == 1


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"media_type": "VIDEO", "video_url": "reel.mp4"}, (100, 2207023)),
        ({"media_type": "ALBUM", "image_url": "good.jpg"}, (100, 2207023)),
        ({"media_type": "REELS", "video_url": "reel.mp4", "is_carousel_item": "true"}, (100, 2207023)),
        ({"media_type": "REELS"}, (100, None)),
        ({"media_type": "REELS", "image_url": "good.jpg"}, (100, None)),
        ({"video_url": "reel.mp4"}, (100, None)),
        ({"video_url": "reel.mp4", "is_carousel_item": "true"}, (100, None)),
        ({"media_type": "STORIES"}, (100, None)),
        ({"media_type": "STORIES", "image_url": "good.jpg", "video_url": "story.mp4"}, (100, None)),
        ({"image_url": "good.jpg", "is_carousel_item": "perhaps"}, (100, None)),
        ({"media_type": "REELS", "upload_type": "resumable"}, (100, None)),
    ],
)
async def test_parameters_that_make_no_container(make, params, error):
    """A media type that does not exist, or not so, and a URL that is missing or one too many are refused."""
    assert (await make(params)).error == error


@pytest.mark.parametrize(
    ("params", "more"),
    [
        (FORMATS["image"], {"user_tags": _tags(ANNA), "collaborators": '["anna", "ben", "cleo"]', "alt_text": "A"}),
        (FORMATS["image"], {"media_type": "IMAGE", "location_id": "106078429431815", "is_ai_generated": "true"}),
        (FORMATS["reel"], {"share_to_feed": "false", "thumb_offset": "4000", "audio_name": "Rain"}),
        (FORMATS["reel"], {"trial_params": '{"graduation_strategy": "MANUAL"}', "user_tags": _tags(NOWHERE)}),
        (FORMATS["reel"], {"cover_url": "good.jpg", "thumb_offset": "99000"}),
        (FORMATS["story_image"], {"user_tags": _tags(NOWHERE, ANNA), "caption": "ignored"}),
        (FORMATS["story_video"], {"user_tags": _tags(ANNA)}),
        (ITEM, {"alt_text": "A lake", "user_tags": _tags(ANNA)}),
        (ITEM_VIDEO, {"user_tags": _tags(NOWHERE)}),
    ],
)
async def test_options_of_a_post_that_are_taken(emulated, account, make, params, more):
    """What a format takes makes a container that can be published, or put into a carousel."""
    answer = await make(params, **more)

    assert answer.status == 200, answer.body
    assert await emulated.settled(account, answer.body["id"]) == "FINISHED"


@pytest.mark.parametrize(
    ("params", "more"),
    [
        (FORMATS["image"], {"user_tags": _tags(NOWHERE)}),
        (FORMATS["image"], {"user_tags": _tags({"username": "anna", "x": 1.5, "y": 0})}),
        (FORMATS["image"], {"user_tags": "anna"}),
        (FORMATS["image"], {"collaborators": '["a", "b", "c", "d"]'}),
        (FORMATS["image"], {"collaborators": '["@anna"]'}),
        (FORMATS["image"], {"location_id": "Berlin"}),
        (FORMATS["image"], {"alt_text": "x" * 1001}),
        (FORMATS["image"], {"share_to_feed": "true"}),
        (FORMATS["reel"], {"alt_text": "A lake"}),
        (FORMATS["reel"], {"user_tags": _tags(ANNA)}),
        (FORMATS["reel"], {"thumb_offset": "-1"}),
        (FORMATS["reel"], {"share_to_feed": "maybe"}),
        (FORMATS["reel"], {"trial_params": '{"graduation_strategy": "SOON"}'}),
        (FORMATS["story_image"], {"collaborators": '["anna"]'}),
        (FORMATS["story_image"], {"alt_text": "A lake"}),
        (ITEM, {"caption": "words"}),
        (ITEM, {"location_id": "106078429431815"}),
        (ITEM, {"collaborators": '["anna"]'}),
        (ITEM, {"is_ai_generated": "true"}),
        (ITEM_VIDEO, {"alt_text": "A lake"}),
    ],
)
async def test_options_of_a_post_that_are_refused(make, params, more):
    """What a format does not take, or not so, is 100 and names the parameter."""
    answer = await make(params, **more)

    assert answer.error == (100, None)
    assert next(iter(more)) in answer.body["error"]["message"]


async def test_more_than_twenty_people(make):
    """The 21st tagged person has a code of its own."""
    many = [{**ANNA, "username": f"person{number}"} for number in range(21)]

    assert (await make(FORMATS["image"], user_tags=_tags(*many[:20]))).status == 200
    assert (await make(FORMATS["image"], user_tags=_tags(*many))).error == (100, 2207040)
