from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.emulator.errors import GraphError
from deploy.emulator.formats import REEL, STORY_VIDEO
from deploy.emulator.inspection import Inspected, check


async def _failure(emulated, account, **params: str) -> str:
    answer = await emulated.make(account, **params)
    assert answer.status == 200, answer.body
    container_id = answer.body["id"]
    assert await emulated.settled(account, container_id) == "ERROR"
    shown = await emulated.graph(account, "GET", f"/{container_id}", fields="status")
    assert (await emulated.publish(account, container_id)).error == (-1, 2207032)
    return str(shown.body["status"])


@pytest.mark.parametrize("name", ["reel.mp4", "story.mov", "turned.mp4"])
async def test_good_video_is_measured(emulated, account, images, name):
    """A video is fetched and measured as it is shown, whichever container it is in."""
    url = f"{images.origin}/{name}"

    await emulated.publish(account, await emulated.finished(account, media_type="REELS", video_url=url))

    [media] = await emulated.control("GET", "media")
    assert media["width"] < media["height"]
    assert 3000 <= media["duration_ms"] <= 5000
    assert media["bytes"] == len(images.answers[name][0])


@pytest.mark.parametrize(
    ("name", "subcode"),
    [
        ("index_last.mp4", 2207026),
        ("interlaced.mp4", 2207026),
        ("mpeg4.mp4", 2207026),
        ("sound_only.mp4", 2207026),
        ("too_short.mp4", 2207026),
        ("good.jpg", 2207026),
        ("gone.mp4", 2207052),
    ],
)
async def test_bad_video_fails_later(emulated, account, images, name, subcode):
    """An unusable video is taken at first; its container ends as ERROR, with the subcode in its status."""
    images.serve("gone.mp4", b"", status=404)

    status = await _failure(emulated, account, media_type="REELS", video_url=f"{images.origin}/{name}")

    assert status == f"Error: Media upload has failed with error code {subcode}"


def test_limits_are_the_formats():
    """What is too long, too large or too narrow for a story's video may be a reel."""
    long = Inspected(bytes=1, width=100, height=1000, duration_ms=60_001)
    narrow = Inspected(bytes=1, width=99, height=1000, duration_ms=60_000)

    reel, story = REEL.rules, STORY_VIDEO.rules
    assert reel is not None
    assert story is not None

    for found in (long, narrow):
        check(found, reel)
        with pytest.raises(GraphError, match="not supported"):
            check(found, story)
    check(replace(long, duration_ms=60_000), story)
    assert story.bytes_max < reel.bytes_max


async def test_thumbnail_outside_the_video(emulated, account, images):
    """A thumbnail of a moment after the end fails the container."""
    url = f"{images.origin}/reel.mp4"

    status = await _failure(emulated, account, media_type="REELS", video_url=url, thumb_offset="60000")

    assert "2207057" in status


async def test_cover_is_fetched(emulated, account, images):
    """A reel's cover is fetched, shown as its thumbnail, and fails the reel if it is none."""
    reel = {"media_type": "REELS", "video_url": f"{images.origin}/reel.mp4"}
    cover = f"{images.origin}/good.jpg"

    container_id = await emulated.finished(account, **reel, cover_url=cover)

    assert "good.jpg" in images.asked
    media_id = (await emulated.publish(account, container_id)).body["id"]
    node = (await emulated.graph(account, "GET", f"/{media_id}", fields="thumbnail_url")).body
    assert node["thumbnail_url"] == cover
    assert "2207005" in await _failure(emulated, account, **reel, cover_url=f"{images.origin}/reel.mp4")


async def test_status_as_documented(start, images):
    """Where chosen, the status of a failed container is the bare subcode, as the reference says."""
    emulated = await start(answer_shape="documented")
    account = await emulated.new_account()
    url = f"{images.origin}/too_short.mp4"

    assert await _failure(emulated, account, media_type="REELS", video_url=url) == "2207026"


async def test_video_tells_its_phases(start, images):
    """The container of a video shows the phase of its processing beside the status."""
    emulated = await start(processing_s=60)
    account = await emulated.new_account()
    made = await emulated.make(account, media_type="REELS", video_url=f"{images.origin}/reel.mp4")
    path = f"/{made.body['id']}"

    shown = (await emulated.graph(account, "GET", path, fields="status_code,video_status,copyright_check_status")).body

    assert shown["status_code"] == "IN_PROGRESS"
    assert shown["video_status"] == {"processing_phase": {"status": "in_progress"}}
    assert shown["copyright_check_status"]["status"] == "in_progress"
