"""Every format goes live with its media, and is known again when the answer was lost."""

from urllib.parse import parse_qs, urlsplit

import pytest

FORMATS = [
    ("image", ["image"]),
    ("reel", ["video"]),
    ("story", ["image"]),
    ("story", ["video"]),
    ("carousel", ["image", "video", "image"]),
]
SHOWN_AS = {"image": ("IMAGE", "FEED"), "reel": ("VIDEO", "REELS"), "carousel": ("CAROUSEL_ALBUM", "FEED")}


@pytest.mark.parametrize(("post_type", "kinds"), FORMATS)
async def test_a_format_goes_live_with_its_media(stage, post_type, kinds):
    """One post, of the right kind, with the post's media in their order."""
    keys = await stage.becomes(post_type, *kinds)

    await stage.run()

    row, [live] = await stage.row(), await stage.live()
    assert (row["state"], row["media_id"], row["permalink"]) == ("published", live["id"], live["permalink"])
    assert stage.keys_of(live) == keys
    if post_type == "story":
        assert live["media_product_type"] == "STORY"
    else:
        assert (live["media_type"], live["media_product_type"]) == SHOWN_AS[post_type]
        assert live["caption"] == "A picture."


@pytest.mark.parametrize(("post_type", "kinds"), FORMATS[1:3] + FORMATS[4:])
async def test_a_format_whose_answer_was_lost_is_found_and_not_sent_again(stage, post_type, kinds):
    """Also a story, which is in no list of media and has no words."""
    await stage.becomes(post_type, *kinds)
    await stage.fault(endpoint="media_publish", kind="drop_after", times=1)

    await stage.run()

    row, [live] = await stage.row(), await stage.live()
    assert (row["state"], row["media_id"]) == ("published", live["id"])
    assert len(await stage.calls("media_publish")) == 1


@pytest.mark.parametrize(("post_type", "kinds"), FORMATS[3:])
async def test_a_format_that_did_not_go_live_is_sent_once_more_with_the_same_container(stage, post_type, kinds):
    """Only once its call can no longer be under way; nothing is made anew."""
    await stage.becomes(post_type, *kinds)
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)

    await stage.run()
    waiting, made = await stage.row(), len(await stage.calls("create_container"))
    await stage.long_ago()
    await stage.run_when_due()

    row = await stage.row()
    assert (waiting["state"], waiting["reason"]) == ("scheduled", "verifying")
    assert (row["state"], row["publish_sends"]) == ("published", 2)
    assert len(await stage.calls("create_container")) == made
    assert len(await stage.live()) == 1


async def test_a_reel_is_not_taken_for_a_picture_with_the_same_words(stage):
    """Somebody posted the caption with a picture meanwhile; the reel is still to be sent."""
    await stage.becomes("reel", "video")
    picture = await stage.strangers_post(caption="A picture.")
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)

    await stage.run()
    waiting = await stage.row()
    await stage.long_ago()
    await stage.run_when_due()

    row = await stage.row()
    assert (waiting["state"], waiting["reason"]) == ("scheduled", "verifying")
    assert row["state"] == "published"
    assert row["media_id"] not in {picture, None}
    assert len(await stage.live()) == 2


async def test_a_story_is_not_looked_for_before_its_container_says_that_it_is_live(stage):
    """Nothing tells one story from another, so a list would only mislead."""
    await stage.becomes("story", "image")
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)

    await stage.run()

    assert await stage.calls("list_stories") == []
    assert await stage.calls("list_media") == []


async def test_media_are_handed_over_at_addresses_that_open_for_longer_than_a_container_lives(stage):
    """The platform may fetch late; nobody else can make such an address."""
    [key] = await stage.becomes("image", "image")

    await stage.run()

    [live] = await stage.live()
    query = {name: values[0] for name, values in parse_qs(urlsplit(live["image_url"]).query).items()}
    assert stage.work.media_urls.opens(key, **query)
    assert not stage.work.media_urls.opens("other.jpg", **query)


async def test_a_medium_that_was_deleted_fails_the_publication_and_is_named(stage):
    """A person has to put it back; no part of the post is published without it."""
    await stage.becomes("carousel", "image", "image")
    await stage.pool.execute("UPDATE posts SET media_ids = media_ids || gen_random_uuid()")

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("failed", "content_gone")
    assert "the medium" in row["error"]
    assert await stage.calls("create_container") == []
