"""The platform's limits for media, each at its edge on both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.instagram import (
    FORMAT_RULES,
    MediaFacts,
    MediaFormat,
    fitting_formats,
    formats_of_kind,
    media_faults,
)

MB = 1024 * 1024
PICTURE = MediaFacts(kind="image", mime="image/jpeg", bytes=1000, width=1080, height=1080)
VIDEO = MediaFacts(
    kind="video",
    mime="video/mp4",
    bytes=1000,
    width=720,
    height=1280,
    duration_ms=30_000,
    video_codec="h264",
    audio_codec="aac",
    frame_rate=30.0,
    bit_rate=2_000_000,
    audio_channels=2,
    audio_rate_hz=48_000,
    chroma="4:2:0",
    progressive=True,
    index_first=True,
)
FEED = (MediaFormat.FEED_IMAGE, MediaFormat.CAROUSEL_IMAGE)
OTHER_PICTURES = (MediaFormat.STORY_IMAGE, MediaFormat.REEL_COVER)
LONG_VIDEOS = (MediaFormat.REEL, MediaFormat.CAROUSEL_VIDEO)
STORY = (MediaFormat.STORY_VIDEO,)
VIDEOS = LONG_VIDEOS + STORY

# Formats, what is still taken, what no longer, and the code of the fault.
PICTURE_EDGES = [
    (FEED + OTHER_PICTURES, {"bytes": 8 * MB}, {"bytes": 8 * MB + 1}, "too_large"),
    (FEED, {"width": 1080, "height": 1350}, {"width": 1080, "height": 1351}, "wrong_ratio"),
    (FEED, {"width": 1910, "height": 1000}, {"width": 1911, "height": 1000}, "wrong_ratio"),
]
VIDEO_EDGES = [
    (LONG_VIDEOS, {"bytes": 300 * MB}, {"bytes": 300 * MB + 1}, "too_large"),
    (STORY, {"bytes": 100 * MB}, {"bytes": 100 * MB + 1}, "too_large"),
    (LONG_VIDEOS, {"width": 10, "height": 1000}, {"width": 10, "height": 1001}, "wrong_ratio"),
    (STORY, {"width": 100, "height": 1000}, {"width": 100, "height": 1001}, "wrong_ratio"),
    (VIDEOS, {"width": 1000, "height": 100}, {"width": 1001, "height": 100}, "wrong_ratio"),
    (VIDEOS, {"width": 1920, "height": 1920}, {"width": 1921, "height": 1921}, "too_wide"),
    (VIDEOS, {"duration_ms": 3_000}, {"duration_ms": 2_999}, "too_short"),
    (LONG_VIDEOS, {"duration_ms": 900_000}, {"duration_ms": 900_001}, "too_long"),
    (STORY, {"duration_ms": 60_000}, {"duration_ms": 60_001}, "too_long"),
    (VIDEOS, {"video_codec": "hevc"}, {"video_codec": "vp9"}, "video_codec"),
    (VIDEOS, {"audio_codec": None}, {"audio_codec": "opus"}, "audio_codec"),
    (VIDEOS, {"frame_rate": 23.0}, {"frame_rate": 22.999}, "frame_rate"),
    (VIDEOS, {"frame_rate": 60.0}, {"frame_rate": 60.001}, "frame_rate"),
    (VIDEOS, {"bit_rate": 25_000_000}, {"bit_rate": 25_000_001}, "bit_rate"),
    (VIDEOS, {"audio_rate_hz": 48_000}, {"audio_rate_hz": 48_001}, "audio_format"),
    (VIDEOS, {"audio_channels": 2}, {"audio_channels": 3}, "audio_format"),
    (VIDEOS, {"chroma": "4:2:0"}, {"chroma": "4:2:2"}, "chroma"),
    (VIDEOS, {"progressive": None}, {"progressive": False}, "interlaced"),
    (VIDEOS, {"index_first": None}, {"index_first": False}, "index_last"),
]


@pytest.mark.parametrize(
    ("facts", "formats", "taken", "refused", "code"),
    [(PICTURE, *edge) for edge in PICTURE_EDGES] + [(VIDEO, *edge) for edge in VIDEO_EDGES],
)
def test_each_limit_holds_at_its_edge(facts, formats, taken, refused, code):
    """The limit itself is taken; the next value is not, and the fault says why and is alone."""
    for wanted in formats:
        assert media_faults(replace(facts, **taken), wanted) == []
        assert [fault.code for fault in media_faults(replace(facts, **refused), wanted)] == [code]


@pytest.mark.parametrize("wanted", OTHER_PICTURES)
def test_stories_and_covers_take_pictures_of_any_shape(wanted):
    """The platform names no ratio and no width for them."""
    assert media_faults(replace(PICTURE, width=100, height=3000), wanted) == []


@pytest.mark.parametrize("wanted", FEED)
@pytest.mark.parametrize("width", [64, 6_400])
def test_the_feed_takes_pictures_of_any_width(wanted, width):
    """The platform scales them itself."""
    assert media_faults(replace(PICTURE, width=width, height=width), wanted) == []


@pytest.mark.parametrize("wanted", MediaFormat)
def test_every_format_takes_one_kind(wanted):
    """A picture is no video, and the other way round; nothing else is said of the wrong kind."""
    facts, other = (PICTURE, VIDEO) if FORMAT_RULES[wanted].kind == "image" else (VIDEO, PICTURE)

    assert media_faults(facts, wanted) == []
    assert [fault.code for fault in media_faults(other, wanted)] == ["wrong_kind"]


def test_all_faults_are_told_at_once():
    """Who corrects one is not sent back for the next."""
    facts = replace(VIDEO, bytes=400 * MB, width=1921, height=10, duration_ms=1, video_codec=None, chroma="4:4:4")

    found = [fault.code for fault in media_faults(facts, MediaFormat.REEL)]

    assert found == ["too_large", "wrong_ratio", "too_wide", "too_short", "video_codec", "chroma"]


def test_a_medium_knows_where_it_fits():
    """A video of more than a minute is a reel and no story."""
    assert (
        fitting_formats(PICTURE)
        == formats_of_kind("image")
        == [*FEED[:1], OTHER_PICTURES[0], FEED[1], OTHER_PICTURES[1]]
    )
    assert fitting_formats(VIDEO) == formats_of_kind("video")
    assert fitting_formats(replace(VIDEO, duration_ms=61_000)) == list(LONG_VIDEOS)
