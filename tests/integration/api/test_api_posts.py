"""Posts of every format: what the platform takes is stored as it was said, and everything else is refused at once."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

PICTURE = {"kind": "image", "mime": "image/jpeg", "bytes": 100_000, "width": 1080, "height": 1080}
VIDEO = {"kind": "video", "mime": "video/mp4", "bytes": 1_000_000, "width": 1080, "height": 1920, "duration_ms": 8_000}
CODECS = {"video_codec": "h264", "audio_codec": "aac", "frame_rate": 30.0, "index_first": True}
MISSING = str(UUID(int=7))

#: One medium of each sort that matters; every test names them by these words.
MEDIA: dict[str, dict[str, Any]] = {
    "picture": PICTURE,
    "tall": PICTURE | {"height": 1920},
    "video": VIDEO,
    "long": VIDEO | {"duration_ms": 90_000},
    "mpeg2": VIDEO | {"facts": CODECS | {"video_codec": "mpeg2video"}},
}
TAG = {"username": "friend", "x": 0.5, "y": 0.25}
NOWHERE = {"username": "friend"}


async def add_medium(gateway, user_id, **known):
    """A row as an upload writes it."""
    facts = known.pop("facts", CODECS if known["kind"] == "video" else {})
    columns = {"id": uuid7(), "user_id": UUID(user_id), "key": uuid4().hex, "sha256": "", "facts": json.dumps(facts)}
    columns |= known
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    statement = f"INSERT INTO media ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - of this test's own words
    await gateway.rows(statement, *columns.values())
    return str(columns["id"])


@pytest.fixture
async def media(gateway, alice):
    """Ids by word."""
    return {word: await add_medium(gateway, alice.user_id, **known) for word, known in MEDIA.items()}


def named(body, media):
    """A body in which words stand for media."""
    options = dict(body.get("options", {}))
    if "cover_media_id" in options:
        options["cover_media_id"] = media.get(options["cover_media_id"], MISSING)
    media_ids = [media.get(word, MISSING) for word in body["media_ids"]]
    return body | {"media_ids": media_ids} | ({"options": options} if options else {})


TAKEN: list[dict[str, Any]] = [
    {"media_ids": ["picture"], "caption": "A picture"},
    {
        "type": "image",
        "media_ids": ["picture"],
        "options": {
            "alt_texts": ["A cup"],
            "user_tags": [[TAG]],
            "location_id": "1234567890",
            "collaborators": ["a.friend", "@another"],
            "is_ai_generated": True,
        },
    },
    {
        "type": "carousel",
        "media_ids": ["picture", "video", "picture"],
        "caption": "Three",
        "options": {"alt_texts": ["A cup", "", "A cup"], "user_tags": [[TAG] * 20, [NOWHERE], []]},
    },
    {"type": "carousel", "media_ids": ["picture"] * 10},
    {
        "type": "reel",
        "media_ids": ["video"],
        "caption": "Watch",
        "options": {
            "share_to_feed": False,
            "cover_media_id": "tall",
            "thumb_offset_ms": 7_999,
            "audio_name": "My own sound",
            "trial": "MANUAL",
            "user_tags": [[NOWHERE]],
            "location_id": "1",
        },
    },
    {"type": "reel", "media_ids": ["long"]},
    {"type": "story", "media_ids": ["tall"], "options": {"user_tags": [[TAG, NOWHERE]]}},
    {"type": "story", "media_ids": ["video"], "options": {"user_tags": [[NOWHERE]]}},
]


async def test_what_the_platform_takes_is_stored_and_shown(alice, media):
    """Type, media in their order, caption and options come back as they were said."""
    for body in TAKEN:
        wished = named(body, media)
        made = await alice.post("/v1/posts", json=wished)

        assert made.status == 201, made.body
        shown = (await alice.get(f"/v1/posts/{made.body['id']}")).body
        assert shown == made.body
        expected = {"type": "image", "caption": "", "options": {}, "overrides": {}, "status": "draft"} | wished
        assert {name: shown[name] for name in expected} == expected


def post(type_, *media_ids, caption="", **options):
    return {"type": type_, "media_ids": list(media_ids), "caption": caption, "options": options}


TWO = ("picture", "video")
REFUSED: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
    # As many media as the type shows.
    (post("image"), {("wrong_media_count", "media_ids")}),
    (post("image", "picture", "picture"), {("wrong_media_count", "media_ids")}),
    (post("reel", "video", "video"), {("wrong_media_count", "media_ids")}),
    (post("story", "picture", "video"), {("wrong_media_count", "media_ids")}),
    (post("carousel", "picture"), {("wrong_media_count", "media_ids")}),
    (post("carousel", *["picture"] * 11), {("wrong_media_count", "media_ids")}),
    # Each of a kind that fits the type, and such as the platform takes there.
    (post("image", "video"), {("wrong_kind", "media_ids[0]")}),
    (post("reel", "picture"), {("wrong_kind", "media_ids[0]")}),
    (post("image", "tall"), {("wrong_ratio", "media_ids[0]")}),
    (post("carousel", "picture", "tall"), {("wrong_ratio", "media_ids[1]")}),
    (post("carousel", "picture", "mpeg2"), {("video_codec", "media_ids[1]")}),
    (post("story", "long"), {("too_long", "media_ids[0]")}),
    (post("reel", "video", cover_media_id="video"), {("wrong_kind", "options.cover_media_id")}),
    # Options only where the platform takes them.
    (post("reel", "video", alt_texts=["A cup"]), {("option_not_taken", "options.alt_texts")}),
    (post("story", "picture", alt_texts=["A cup"]), {("option_not_taken", "options.alt_texts")}),
    (post("story", "picture", location_id="1"), {("option_not_taken", "options.location_id")}),
    (post("story", "picture", collaborators=["a"]), {("option_not_taken", "options.collaborators")}),
    (post("story", "picture", is_ai_generated=True), {("option_not_taken", "options.is_ai_generated")}),
    (post("image", "picture", share_to_feed=False), {("option_not_taken", "options.share_to_feed")}),
    (post("story", "video", cover_media_id="tall"), {("option_not_taken", "options.cover_media_id")}),
    (post("carousel", *TWO, thumb_offset_ms=1), {("option_not_taken", "options.thumb_offset_ms")}),
    (post("carousel", *TWO, audio_name="a"), {("option_not_taken", "options.audio_name")}),
    (post("image", "picture", trial="MANUAL"), {("option_not_taken", "options.trial")}),
    (post("story", "picture", caption="Words"), {("caption_not_taken", "caption")}),
    # Lists follow the media.
    (post("carousel", *TWO, alt_texts=["A cup"]), {("wrong_length", "options.alt_texts")}),
    (post("carousel", *TWO, user_tags=[[], [], []]), {("wrong_length", "options.user_tags")}),
    (post("carousel", *TWO, alt_texts=["", "A film"]), {("option_not_taken", "options.alt_texts[1]")}),
    (post("image", "picture", user_tags=[[TAG] * 21]), {("too_many_user_tags", "options.user_tags[0]")}),
    # A person in a picture has a place, one in a video has none.
    (post("image", "picture", user_tags=[[TAG, NOWHERE]]), {("invalid_value", "options.user_tags[0][1]")}),
    (post("carousel", *TWO, user_tags=[[], [TAG]]), {("invalid_value", "options.user_tags[1][0]")}),
    (post("reel", "video", user_tags=[[TAG]]), {("invalid_value", "options.user_tags[0][0]")}),
    (post("story", "tall", user_tags=[[NOWHERE | {"x": 0.5}]]), {("invalid_value", "options.user_tags[0][0]")}),
    (post("reel", "video", thumb_offset_ms=8_000), {("invalid_value", "options.thumb_offset_ms")}),
    # The form itself.
    (post("poll", "picture"), {("invalid_value", "type")}),
    (post("image", "picture", filter="sepia"), {("unknown_field", "options.filter")}),
    (post("image", "picture", collaborators=["a", "b", "c", "d"]), {("invalid_value", "options.collaborators")}),
    (post("image", "picture", user_tags=[[TAG | {"x": 2}]]), {("invalid_value", "options.user_tags[0][0].x")}),
    # All that is wrong is told at once.
    (
        post("reel", "picture", "unknown", caption="#a " * 31, alt_texts=["A cup"], cover_media_id="unknown"),
        {
            ("too_many_hashtags", "caption"),
            ("wrong_media_count", "media_ids"),
            ("wrong_kind", "media_ids[0]"),
            ("not_found", "media_ids[1]"),
            ("not_found", "options.cover_media_id"),
            ("option_not_taken", "options.alt_texts"),
        },
    ),
]


async def test_what_the_platform_would_refuse_is_never_stored(gateway, alice, media):
    """Each fault has a code, the path to it and a sentence, all of them in one answer."""
    for body, faults in REFUSED:
        answer = await alice.post("/v1/posts", json=named(body, media))

        assert (answer.status, answer.body["code"]) == (422, "validation_failed"), (body, answer.body)
        assert {(fault["code"], fault["path"]) for fault in answer.body["errors"]} == faults, body
        assert all(fault["message"].endswith(".") for fault in answer.body["errors"])
    assert await gateway.count("posts") == 0


async def test_another_tenants_media_is_as_unknown_as_none(gateway, bob, media):
    """A medium of somebody else is not found, as one that never was."""
    others, none = [{"type": "image", "media_ids": [media_id]} for media_id in (media["picture"], MISSING)]

    for body in (others, none):
        answer = await bob.post("/v1/posts", json=body)
        assert (answer.status, answer.body["code"]) == (404, "not_found")
        assert [(fault["code"], fault["path"]) for fault in answer.body["errors"]] == [("not_found", "media_ids[0]")]
    assert await gateway.count("posts") == 0


async def test_own_captions_are_held_to_the_type(alice, media):
    """A reel takes captions of single accounts; a story takes none, for the platform would drop them."""
    [account] = await alice.add_accounts(1)
    own = {"overrides": {account: {"caption": "Only here"}}}

    reel = await alice.post("/v1/posts", json={"type": "reel", "media_ids": [media["video"]], **own})
    story = await alice.post("/v1/posts", json={"type": "story", "media_ids": [media["video"]], **own})

    assert (reel.status, reel.body["overrides"]) == (201, own["overrides"])
    assert [(fault["code"], fault["path"]) for fault in story.body["errors"]] == [
        ("caption_not_taken", f"overrides.{account}.caption")
    ]


async def test_every_type_is_published_and_distributed(gateway, alice, media):
    """The routes that make publications go by the post, whatever it is."""
    accounts = await alice.add_accounts(2)
    group = await alice.add_group(accounts)
    window = {"from": "2030-01-01T10:00:00Z", "to": "2030-01-01T11:00:00Z"}

    for body in TAKEN:
        post_id = (await alice.post("/v1/posts", json=named(body, media))).body["id"]
        now = await alice.post(f"/v1/posts/{post_id}/publish", json={"account_ids": accounts[:1]})
        wish = {"post_id": post_id, "group_id": group, "window": window, "allow_duplicate": True}
        later = await alice.post("/v1/distributions", json=wish)
        assert (now.status, later.status) == (202, 202), later.body

    shown = (await alice.get(f"/v1/posts/{post_id}")).body
    assert (shown["status"], shown["counts"]) == ("scheduled", {"scheduled": 3})
    assert await gateway.count("publications") == 3 * len(TAKEN)
