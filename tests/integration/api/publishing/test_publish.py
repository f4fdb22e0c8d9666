"""From a wish to publications: each with one message, due when it is, and none by mistake."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

from tests.wishes import in_hours, messages, nothing_written


async def test_publish_now_takes_the_critical_lane(gateway, alice, accounts, post):
    """Each account gets a publication and a message that is due at once, before all planned ones."""
    answer = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": [*accounts, accounts[0]]})

    assert answer.status == 202
    assert len(answer.body["publications"]) == 3
    waiting = await messages(gateway)
    assert {row["subject"] for row in waiting} == set(answer.body["publications"])
    assert {(row["priority"], row["on_time"]) for row in waiting} == {(1, True)}
    assert {json.loads(row["payload"])["revision"] for row in waiting} == {1}
    shown = (await alice.get(f"/v1/posts/{post}")).body
    assert (shown["status"], shown["counts"]) == ("scheduled", {"scheduled": 3})


async def test_publish_later_takes_the_normal_lane(gateway, alice, group, post):
    """A planned publication waits in the outbox until its time, behind what a person waits for."""
    publish_at = in_hours(3)
    answer = await alice.post(
        f"/v1/posts/{post}/publish", json={"group_id": group, "publish_at": publish_at, "max_lateness_s": None}
    )

    assert answer.status == 202
    assert {(row["priority"], row["on_time"]) for row in await messages(gateway)} == {(3, True)}
    publication = (await alice.get(f"/v1/publications/{answer.body['publications'][0]}")).body
    assert datetime.fromisoformat(publication["publish_at"]) == datetime.fromisoformat(publish_at)
    assert (publication["state"], publication["max_lateness_s"], publication["post_id"]) == ("scheduled", None, post)


BAD_WISHES: list[Any] = [
    ({"publish_at": "2030-01-01T10:00:00"}, 422, "timezone_required"),
    ({"publish_at": "2020-01-01T10:00:00Z"}, 422, "time_in_past"),
    ({"publish_at": "0001-01-01T00:00:00+14:00"}, 422, "validation_failed"),
    ({"publish_at": "soon"}, 422, "validation_failed"),
    ({"max_lateness_s": -1}, 422, "validation_failed"),
    ({"max_lateness_s": 10**12}, 422, "validation_failed"),
    ({"account_ids": []}, 422, "validation_failed"),
    ({"account_ids": None}, 422, "validation_failed"),
    ({"account_ids": ["01890000-0000-7000-8000-000000000000"]}, 404, "not_found"),
    ({"group_id": "01890000-0000-7000-8000-000000000000"}, 422, "validation_failed"),
    ({"group_id": "01890000-0000-7000-8000-000000000000", "account_ids": None}, 404, "not_found"),
    ({"when": "now"}, 422, "validation_failed"),
]


async def test_a_wish_that_cannot_be_met_writes_nothing(gateway, alice, accounts, post):
    """Every fault has its code, and leaves no publication and no message."""
    for fields, status, code in BAD_WISHES:
        answer = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts} | fields)

        await nothing_written(gateway, answer, status, code)


async def test_an_account_that_cannot_publish_stops_the_wish(gateway, alice, accounts, group, post):
    """One paused account is named, and none of the others gets anything."""
    await alice.post(f"/v1/accounts/{accounts[1]}/pause")

    by_ids = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})
    window = {"from": in_hours(1), "to": in_hours(2)}
    by_group = await alice.post("/v1/distributions", json={"post_id": post, "group_id": group, "window": window})

    for answer in (by_ids, by_group):
        await nothing_written(gateway, answer, 409, "account_not_publishable")
        assert [fault["account_id"] for fault in answer.body["errors"]] == [accounts[1]]


async def test_the_same_post_on_the_same_account_is_refused_unless_wished_for(gateway, alice, accounts, group, post):
    """A duplicate is a conflict that names the publication that is there; it takes a word to have it anyway."""
    first = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts[:1]})
    again = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})
    window = {"from": in_hours(1), "to": in_hours(2)}
    plan = {"post_id": post, "group_id": group, "window": window}
    distributed = await alice.post("/v1/distributions", json=plan)

    for answer in (again, distributed):
        assert (answer.status, answer.body["code"]) == (409, "duplicate_content")
        assert answer.body["existing_id"] == first.body["publications"][0]
        assert [(fault["account_id"], fault["existing_id"]) for fault in answer.body["errors"]] == [
            (accounts[0], first.body["publications"][0])
        ]
    assert await gateway.count("publications") == 1
    allowed = await alice.post("/v1/distributions", json=plan | {"allow_duplicate": True})
    assert (allowed.status, allowed.body["publications"]) == (202, 3)


async def test_the_same_wish_many_times_at_once_is_met_once(gateway, alice, accounts, post):
    """Racing requests stand in one line at the post: one is met, the others are told of it."""
    wish = {"account_ids": accounts}
    answers = await asyncio.gather(*(alice.post(f"/v1/posts/{post}/publish", json=wish) for _ in range(6)))

    assert sorted(answer.status for answer in answers) == [202, 409, 409, 409, 409, 409]
    assert await gateway.count("publications") == 3
    assert len(await messages(gateway)) == 3


BAD_POSTS: list[Any] = [
    ({"caption": "x" * 2201}, 422, "validation_failed", "caption_too_long"),
    ({"caption": " ".join(["#tag"] * 31)}, 422, "validation_failed", "too_many_hashtags"),
    ({"caption": " ".join(["@you"] * 21)}, 422, "validation_failed", "too_many_mentions"),
    ({"caption": "a\x00b"}, 422, "validation_failed", "invalid_text"),
    ({"type": "reel"}, 422, "validation_failed", "wrong_kind"),
    ({"media_ids": []}, 422, "validation_failed", "wrong_media_count"),
    ({"media_ids": ["01890000-0000-7000-8000-000000000000"]}, 404, "not_found", "not_found"),
    ({"overrides": {"01890000-0000-7000-8000-000000000000": {"caption": "x"}}}, 404, "not_found", "not_found"),
]


async def test_a_post_that_the_platform_would_refuse_is_not_stored(gateway, alice, make_picture):
    """Content is held to the platform's limits before anybody plans with it."""
    media = (await alice.upload(make_picture())).body["id"]

    for fields, status, code, fault in BAD_POSTS:
        answer = await alice.post("/v1/posts", json={"caption": "Hello", "media_ids": [media]} | fields)

        assert (answer.status, answer.body["code"]) == (status, code), answer.body
        assert answer.body["errors"][0]["code"] == fault
        assert await gateway.count("posts") == 0


async def test_captions_at_the_limits_are_kept_as_they_are(alice, accounts):
    """2,200 characters, 30 hashtags and 20 mentions pass, and one account may say something else."""
    caption = ("#a " * 30 + "@b " * 20 + "é" * 2200)[:2200]
    post = await alice.add_post(caption=caption, overrides={accounts[0]: {"caption": "mine"}})

    shown = (await alice.get(f"/v1/posts/{post}")).body

    assert (shown["caption"], shown["overrides"]) == (caption, {accounts[0]: {"caption": "mine"}})
    assert (shown["status"], shown["counts"]) == ("draft", {})
    long_override = {"media_ids": shown["media_ids"], "overrides": {accounts[0]: {"caption": "x" * 2201}}}
    answer = await alice.post("/v1/posts", json=long_override)
    assert answer.body["errors"][0]["path"] == f"overrides.{accounts[0]}.caption"
