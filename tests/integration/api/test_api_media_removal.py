"""Media are listed by what one looks for, kept once however often they are sent, and removed with all that waits."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import pytest

from services.api.media import drop_removed
from services.api.media.media_store import MediaStore
from tests.waiting import until
from tests.wishes import in_hours, messages


def stored_files(gateway) -> list[Path]:
    return list(Path(gateway.deps.settings.media_store).iterdir())


async def listed(client, path):
    answer = await client.get(path)
    assert answer.status == 200, answer.body
    return [row["id"] for row in answer.body["data"]]


@pytest.fixture
async def media(alice, make_picture):
    """Three pictures, the oldest first."""
    return [(await alice.upload(make_picture(1080 + n, 1080))).body for n in range(3)]


async def test_media_are_listed_by_kind_and_content(gateway, alice, bob, media):
    """Each filter narrows the list, either order goes on by cursors, and another tenant sees none of it."""
    first, second, third = [one["id"] for one in media]
    await gateway.rows("UPDATE media SET kind = 'video' WHERE id = $1", UUID(third))

    assert await listed(alice, "/v1/media") == [third, second, first]
    assert await listed(alice, "/v1/media?sort=created_at") == [first, second, third]
    assert await listed(alice, "/v1/media?kind=image") == [second, first]
    assert await listed(alice, f"/v1/media?sha256={media[1]['sha256']}") == [second]
    assert await listed(alice, f"/v1/media?sha256={'0' * 64}") == []
    assert await listed(bob, "/v1/media") == []
    page = (await alice.get("/v1/media?sort=created_at&limit=2&count=true")).body
    assert page["pagination"]["total"] == 3
    following = f"/v1/media?sort=created_at&limit=2&cursor={page['pagination']['next_cursor']}"
    assert await listed(alice, following) == [third]
    assert (await alice.get("/v1/media?sha256=short")).status == 422


async def test_a_medium_that_is_told_again_is_the_same_to_the_byte(alice, media):
    """Its address stays for a while, so that an answer can be asked about and a version be named."""
    told = await alice.get(f"/v1/media/{media[0]['id']}")

    again = await alice.get(f"/v1/media/{media[0]['id']}", headers={"If-None-Match": told.headers["ETag"]})
    stale = await alice.call("DELETE", f"/v1/media/{media[0]['id']}", headers={"If-Match": '"other"'})

    assert again.status == 304
    assert (stale.status, stale.body["code"]) == (412, "version_mismatch")


async def test_an_upload_that_is_repeated_is_kept_once(gateway, alice, make_picture):
    """The same file under the same key gives the same medium; another one under it is refused. No bytes are left."""
    headers = {"Idempotency-Key": uuid4().hex}

    async def upload(content, convert="false"):
        form = aiohttp.FormData({"convert": convert})
        form.add_field("file", io.BytesIO(content), filename="picture.jpg")
        return await alice.post("/v1/media", data=form, headers=headers)

    first, again = await upload(make_picture()), await upload(make_picture())
    others = [await upload(make_picture(), "true"), await upload(make_picture(640, 640))]

    assert (first.status, again.status, again.headers["Idempotency-Replayed"]) == (201, 201, "true")
    assert again.body == first.body
    assert [(other.status, other.body["code"]) for other in others] == [(422, "idempotency_mismatch")] * 2
    assert await gateway.count("media") == len(stored_files(gateway)) == 1


async def test_the_same_upload_at_once_leaves_one_file(gateway, alice, make_picture):
    """Of requests that race under one key one is kept; the others are told so, and leave no bytes behind."""
    headers = {"Idempotency-Key": uuid4().hex}

    async def upload():
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(make_picture()), filename="picture.jpg")
        return await alice.post("/v1/media", data=form, headers=headers)

    answers = await asyncio.gather(*(upload() for _ in range(4)))

    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.body["id"] for answer in answers if answer.status == 201}) == 1
    assert await gateway.count("media") == len(stored_files(gateway)) == 1


async def test_a_medium_that_nobody_shows_is_gone_with_its_file(gateway, alice, bob, media):
    """After the answer neither the medium nor its address is there any more, for anybody; the others stay."""
    medium = media[0]

    foreign = await bob.call("DELETE", f"/v1/media/{medium['id']}")
    removed = await alice.call("DELETE", f"/v1/media/{medium['id']}")

    assert foreign.status == 404
    assert (removed.status, removed.body) == (200, {"canceled": 0, "in_flight": [], "sent": [], "paused_schedules": 0})
    address = medium["url"].removeprefix(gateway.deps.settings.public_url)
    assert (await replace(alice, api_key=None).get(address)).status == 404
    assert (await alice.get(f"/v1/media/{medium['id']}")).status == 404
    assert (await alice.call("DELETE", f"/v1/media/{medium['id']}")).status == 404
    assert len(await listed(alice, "/v1/media")) == len(stored_files(gateway)) == 2
    assert (await alice.post("/v1/posts", json={"media_ids": [medium["id"]]})).status == 404


async def test_what_shows_a_medium_keeps_it_unless_it_is_to_be_canceled(gateway, alice, media):
    """Who depends on it is told first; with `cancel` nothing of it is published any more, and its posts say why."""
    accounts = await alice.add_accounts(2)
    path = f"/v1/media/{media[0]['id']}"
    post = (await alice.post("/v1/posts", json={"media_ids": [media[0]["id"]]})).body["id"]
    other = (await alice.post("/v1/posts", json={"media_ids": [media[1]["id"]]})).body["id"]
    for one in (post, other):
        wish = {"account_ids": accounts, "publish_at": in_hours(1)}
        assert (await alice.post(f"/v1/posts/{one}/publish", json=wish)).status == 202

    refused = await alice.call("DELETE", path)

    assert (refused.status, refused.body["code"]) == (409, "in_use")
    shown, waiting = refused.body["errors"]
    assert (shown["existing_id"], shown["message"].partition(" ")[0]) == (post, "1")
    assert waiting["message"].startswith("2 publication(s)")
    assert len(stored_files(gateway)) == 3

    removed = await alice.call("DELETE", f"{path}?cancel=true")

    assert (removed.status, removed.body["canceled"]) == (200, 2)
    assert (await alice.get(f"/v1/posts/{post}")).body["counts"] == {"canceled": 2}
    assert (await alice.get(f"/v1/posts/{other}")).body["counts"] == {"scheduled": 2}
    assert len(await messages(gateway)) == len(stored_files(gateway)) == 2
    again = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})
    assert (again.status, again.body["code"]) == (422, "validation_failed")
    assert [(fault["code"], fault["path"]) for fault in again.body["errors"]] == [("not_found", "media_ids[0]")]
    assert (await alice.post(f"/v1/publications/{await first_of(gateway, post)}/retry")).status == 422
    mended = await alice.call("PATCH", f"/v1/posts/{post}", json={"media_ids": [media[2]["id"]]})
    assert mended.status == 200, mended.body
    assert (await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})).status == 202


async def first_of(gateway, post):
    [row, *_] = await gateway.rows("SELECT id FROM publications WHERE post_id::text = $1", post)
    return row["id"]


async def test_a_cover_is_in_use_too(gateway, alice, media):
    """A picture that only covers a reel is found among the options."""
    post = (await alice.post("/v1/posts", json={"media_ids": [media[0]["id"]]})).body["id"]
    await gateway.rows(
        "UPDATE posts SET type = 'reel', options = jsonb_build_object('cover_media_id', $1::text)", media[1]["id"]
    )

    refused = await alice.call("DELETE", f"/v1/media/{media[1]['id']}")

    assert (refused.status, refused.body["errors"][0]["existing_id"]) == (409, post)
    assert await listed(alice, f"/v1/posts?media_id={media[1]['id']}") == [post]
    assert (await alice.call("DELETE", f"/v1/posts/{post}")).status == 200
    assert (await alice.call("DELETE", f"/v1/media/{media[1]['id']}")).status == 200


async def test_posts_and_removals_that_race_leave_no_post_without_its_medium(gateway, alice, media):
    """A post that was accepted keeps its medium, and a medium that is gone gets no post, however they meet."""
    path = f"/v1/media/{media[0]['id']}"

    async def store():
        return (await alice.post("/v1/posts", json={"media_ids": [media[0]["id"]]})).status

    async def remove():
        return (await alice.call("DELETE", path)).status

    made, removed = await asyncio.gather(asyncio.gather(*(store() for _ in range(6))), remove())

    assert set(made) <= {201, 404}
    assert (removed == 200) == (201 not in made)
    assert len(stored_files(gateway)) == (2 if removed == 200 else 3)


async def test_bytes_that_could_not_be_dropped_are_dropped_later(gateway, alice, media, monkeypatch):
    """A store that was away, or a process that ended, leaves files that the next look removes, and none beside."""
    with monkeypatch.context() as away:

        async def fail(_store, _key):
            return False

        away.setattr(MediaStore, "drop", fail)
        assert (await alice.call("DELETE", f"/v1/media/{media[0]['id']}")).status == 200
        assert len(stored_files(gateway)) == 3

    assert await drop_removed.drop_left(gateway.deps) == 1
    assert len(stored_files(gateway)) == 2
    assert await drop_removed.drop_left(gateway.deps) == 0


async def test_a_gateway_that_starts_drops_what_is_left(gateway, media, run_gateway):
    """Nobody needs to ask for it."""
    await gateway.rows("UPDATE media SET removed_at = now() WHERE id = $1", UUID(media[0]["id"]))

    async def is_gone():
        return len(stored_files(gateway)) == 2

    async with run_gateway(gateway.deps.settings):
        await until(is_gone, what="the file of a removed medium is dropped")
