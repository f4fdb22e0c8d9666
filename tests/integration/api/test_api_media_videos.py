"""Videos: looked into by a process of their own, and told what they can be used for."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

REEL = Path("examples/reel.mp4").read_bytes()
_MEDIA = Path("tests/media")
VIDEO_FORMATS = ["reel", "story_video", "carousel_video"]


def video(name: str) -> bytes:
    """A file of tests/media."""
    return (_MEDIA / name).read_bytes()


async def test_a_reel_is_told_and_served_as_it_was(alice, gateway):
    """The example can be every kind of video; its bytes come back as they were, as what they are."""
    made = (await alice.upload(REEL, name="reel.bin")).body
    shown = (await alice.get(f"/v1/media/{made['id']}")).body
    served = await replace(alice, api_key=None).get(made["url"].removeprefix(gateway.deps.settings.public_url))

    assert (made["kind"], made["mime"], made["bytes"]) == ("video", "video/mp4", len(REEL))
    assert (made["width"], made["height"], made["duration_ms"]) == (720, 1280, 4000)
    assert (made["formats"], made["problems"]) == (VIDEO_FORMATS, {})
    assert made["sha256"] == hashlib.sha256(REEL).hexdigest()
    assert {**shown, "url": made["url"]} == made
    assert (served.content, served.headers["Content-Type"]) == (REEL, "video/mp4")


TAKEN = [
    ("story.mp4", ".mp4", "video/mp4"),
    ("story.mov", ".mov", "video/quicktime"),
    ("turned.mp4", ".mp4", "video/mp4"),
]


async def test_videos_are_taken_by_what_they_are(alice):
    """MP4 and MOV are told apart by their bytes; a size is the one that is shown, also of a turned video."""
    for name, suffix, mime in TAKEN:
        made = (await alice.upload(video(name))).body

        assert (made["mime"], made["width"], made["height"]) == (mime, 180, 320)
        assert made["url"].partition("?")[0].endswith(suffix)


REFUSED = [
    ("mpeg4.mp4", "video_codec", "mpeg-4 visual"),
    ("too_short.mp4", "too_short", "It lasts 2 s"),
    ("index_last.mp4", "index_last", "faststart"),
    ("interlaced.mp4", "interlaced", "interlaced"),
]


async def test_a_video_that_fits_no_format_is_refused_with_the_reason(refused, alice):
    """Each rule that is broken is told, as a code for programs and a sentence for people."""
    for name, code, told in REFUSED:
        answer = await alice.upload(video(name))

        assert told in await refused(answer, "media_unsupported")
        assert [(fault["code"], fault["path"]) for fault in answer.body["errors"]] == [(code, "file")]


async def test_a_file_without_a_picture_in_motion_is_refused(refused, alice):
    """Sound alone, or an empty shell, is no video whatever its container."""
    for content in (video("sound_only.mp4"), b"\0\0\0\x18ftypisom" + bytes(12)):
        assert "no video" in await refused(await alice.upload(content), "media_unsupported")


@pytest.mark.parametrize("name", ["story.mp4", "index_last.mp4"])
async def test_a_video_that_was_cut_off_is_refused(refused, alice, name):
    """A file that ends before its data does is damaged, wherever its index stands."""
    await refused(await alice.upload(video(name)[:20_000]), "media_invalid")


async def test_nonsense_behind_the_first_bytes_of_a_video_is_refused(refused, alice):
    """What claims to be a video and is none costs an answer, nothing else."""
    noise = hashlib.shake_256(b"noise").digest(100_000)

    for content in (REEL[:40] + noise, REEL[:3000] + noise, b"\0\0\0\0moov" + noise):
        answer = await alice.upload(content)
        assert answer.status == 422
        await refused(answer, answer.body["code"])
    assert (await alice.upload(REEL)).status == 201


async def test_the_choice_to_convert_passes_a_video_by(alice):
    """Only pictures are converted, wherever in the form the choice stands."""
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("convert", "true")
    form.add_field("file", io.BytesIO(REEL), filename="reel.mp4")

    answer = await alice.post("/v1/media", data=form)

    assert answer.body["sha256"] == hashlib.sha256(REEL).hexdigest()
