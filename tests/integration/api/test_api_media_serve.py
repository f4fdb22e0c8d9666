"""Addresses of media: who holds one reads, whole or in parts, until its time is over."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from yarl import URL

from shared.security import MEDIA_URL_LIFE_S


@pytest.fixture
async def anybody(alice):
    """Somebody without an API key."""
    return replace(alice, api_key=None)


@pytest.fixture
async def kept(alice, gateway, make_picture):
    """The path and the bytes of an uploaded picture."""
    content = make_picture()
    url = (await alice.upload(content)).body["url"]
    return url.removeprefix(gateway.deps.settings.public_url), content


def with_query(path: str, **query: str) -> str:
    return str(URL(path).update_query(query))


async def test_an_address_opens_only_as_it_was_given(kept, anybody, alice, gateway):
    """Without its signature, or with any part of it changed, an address is 403, even for the owner's key."""
    path, content = kept
    bare = path.partition("?")[0]
    other = gateway.deps.media_urls.address("A" * 32 + ".jpg").partition("?")[2]
    changed = [
        bare,
        f"{bare}?{other}",
        with_query(path, expires="99999999999"),
        with_query(path, signature="0" * 64),
        with_query(path, signature="ü"),
        with_query(path, expires=""),
    ]

    for client in (anybody, alice):
        for each in changed:
            for method in ("GET", "HEAD"):
                answer = await client.call(method, each)
                assert answer.status == 403
                assert method == "HEAD" or answer.body["code"] == "media_address_expired"
    assert (await anybody.get(path)).content == content


async def test_an_address_closes_when_its_time_is_over(kept, anybody, gateway):
    """After its time an address is 403; the medium's next answer holds a new one."""
    key = kept[0].removeprefix("/media/").partition("?")[0]
    over = gateway.deps.media_urls.address(key, life_s=0).removeprefix(gateway.deps.settings.public_url)

    answer = await anybody.get(over)

    assert (answer.status, answer.body["code"]) == (403, "media_address_expired")
    assert (await anybody.get(kept[0])).status == 200


async def test_whoever_keeps_a_copy_keeps_it_no_longer_than_the_address_opens(kept, anybody):
    """Caches are told how long the address holds, and that what it names never changes."""
    answer = await anybody.get(kept[0])

    found = re.fullmatch(r"private, max-age=(\d+), immutable", answer.headers["Cache-Control"])
    assert found is not None
    assert MEDIA_URL_LIFE_S - 3600 - 600 < int(found[1]) <= MEDIA_URL_LIFE_S
    assert answer.headers["ETag"] == (await anybody.get(kept[0])).headers["ETag"]


BAD_KEYS = ["missing.jpg", "A" * 32 + ".jpg", "A" * 32 + ".mp4", "../../etc/passwd", "x" * 33 + ".jpg", "\0.jpg"]


async def test_keys_that_name_nothing_are_404(anybody, gateway):
    """No key leads out of the store, however well it is signed, and an unknown one is a plain 404."""
    for key in BAD_KEYS:
        query = gateway.deps.media_urls.address(key).partition("?")[2]
        path = "/media/" + key.replace("/", "%2f").replace("\0", "%00").replace(".", "%2e")
        for method in ("GET", "HEAD"):
            assert (await anybody.call(method, f"{path}?{query}")).status == 404


# What is asked for, and the first and last byte of the answer; the file has 1000 or more.
PARTS = [("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=990-", 990, None), ("bytes=-5", -5, None)]


async def test_a_part_is_served_as_one(kept, anybody):
    """Who fetches videos asks for parts: each answer is 206 and says where its bytes stand in the whole."""
    path, content = kept
    assert len(content) > 1000
    for asked, first, last in [*PARTS, (f"bytes=100-{len(content) * 2}", 100, None)]:
        answer = await anybody.get(path, headers={"Range": asked})

        expected = content[first:] if last is None else content[first : last + 1]
        start = first % len(content)
        assert (answer.status, answer.content) == (206, expected)
        end = start + len(expected) - 1
        assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{len(content)}"
        assert answer.headers["Content-Length"] == str(len(expected))
        assert answer.headers["Accept-Ranges"] == "bytes"


async def test_a_part_that_the_file_does_not_have_is_told(kept, anybody):
    """A range behind the end is 416 with the size; the connection goes on."""
    path, content = kept
    for asked in (f"bytes={len(content)}-", f"bytes={len(content) * 2}-{len(content) * 3}"):
        answer = await anybody.get(path, headers={"Range": asked})

        assert (answer.status, answer.body["code"]) == (416, "range_not_satisfiable")
        assert answer.headers["Content-Range"] == f"bytes */{len(content)}"


async def test_ranges_that_cannot_be_served_as_one_part_give_the_whole(kept, anybody):
    """Several ranges, nonsense, and a range of another version are answered with all bytes."""
    path, content = kept
    for headers in (
        {"Range": "bytes=0-1,5-6"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=9-1"},
        {"Range": "bytes=0-0", "If-Range": '"another"'},
    ):
        answer = await anybody.get(path, headers=headers)

        assert (answer.status, answer.content) == (200, content)
