"""Pictures: looked into, kept under a key nobody can guess, and served to whoever has an address."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from services.api.app import create_app
from services.api.http.listener import listen
from services.api.media.spool import PICTURE_BYTES_MAX
from shared.security import MediaUrls

LIMIT = 8 * 1024 * 1024
REEL = Path("examples/reel.mp4").read_bytes()


def stored_files(gateway) -> list[Path]:
    return list(Path(gateway.deps.settings.media_store).iterdir())


async def test_an_uploaded_picture_is_told_and_served_as_it_was(alice, gateway, make_picture):
    """The row tells what the file is, and the public address gives its very bytes to anybody."""
    content = make_picture(1080, 1350)

    made = (await alice.upload(content)).body
    shown = (await alice.get(f"/v1/media/{made['id']}")).body
    path = made["url"].removeprefix(gateway.deps.settings.public_url)
    served = await replace(alice, api_key=None).get(path)
    head = await replace(alice, api_key=None).call("HEAD", path)

    assert shown == made
    assert (made["mime"], made["bytes"], made["width"], made["height"]) == ("image/jpeg", len(content), 1080, 1350)
    assert made["sha256"] == hashlib.sha256(content).hexdigest()
    assert served.content == content
    for answer in (served, head):
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Content-Length"] == str(len(content))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(path.removeprefix("/media/").partition(".")[0]) >= 32


async def test_the_same_picture_twice_gets_two_keys(alice, make_picture):
    """Who knows one key learns nothing of another."""
    first, second = [(await alice.upload(make_picture())).body["url"] for _ in range(2)]

    assert first != second


OTHER_TYPES = {"PNG": "PNG", "WEBP": "WebP", "GIF": "GIF", "BMP": "BMP", "TIFF": "TIFF"}


async def test_another_type_under_the_name_of_a_jpeg_is_refused_by_its_true_name(refused, alice, make_picture):
    """Names and content types prove nothing; the answer says what the file really is, and if it can be converted."""
    for encoding, name in OTHER_TYPES.items():
        answer = await alice.upload(make_picture(encoding=encoding), name="picture.jpg")

        detail = await refused(answer, "media_unsupported")
        assert f"This is {name}," in detail
        assert ("convert=true" in detail) == (name in {"PNG", "WebP"})


async def test_a_picture_of_a_phone_is_refused_by_its_true_name(refused, alice):
    """HEIC, as phones take pictures, is told from a video though both begin with the same box."""
    detail = await refused(await alice.upload(b"\0\0\0\x18ftypheic" + bytes(100)), "media_unsupported")

    assert "This is HEIC," in detail


BAD_MEASURES = [(1080, 1351, "1080 x 1351"), (1920, 1000, "1920 x 1000")]


async def test_a_picture_is_told_what_it_can_be_used_for(alice, make_picture):
    """What does not fit the feed can still be a story; the answer says why it does not fit the feed."""
    for width, height, told in BAD_MEASURES:
        made = (await alice.upload(make_picture(width, height))).body

        assert made["formats"] == ["story_image", "reel_cover"]
        assert set(made["problems"]) == {"feed_image", "carousel_image"}
        assert told in made["problems"]["feed_image"][0]


LIMIT_MEASURES = [(1080, 1350), (1910, 1000), (64, 64)]


async def test_measures_at_the_platforms_limits_are_taken(alice, make_picture):
    """The limits themselves are allowed."""
    for width, height in LIMIT_MEASURES:
        made = (await alice.upload(make_picture(width, height))).body

        assert (made["problems"], made["duration_ms"]) == ({}, None)
        assert made["formats"] == ["feed_image", "story_image", "carousel_image", "reel_cover"]


async def test_a_damaged_picture_is_refused(refused, alice, make_picture):
    """A file that was cut off, or only begins like a picture, is refused."""
    content = make_picture(noise=True)

    await refused(await alice.upload(content[: len(content) // 2]), "media_invalid")
    await refused(await alice.upload(b"no picture at all"), "media_unsupported")
    assert "an empty file" in await refused(await alice.upload(b""), "media_unsupported")


async def test_a_picture_of_too_many_pixels_is_refused_without_decoding_it(refused, alice, make_picture):
    """A small file that would unpack to gigabytes is refused by what its header says."""
    answer = await alice.upload(make_picture(9000, 9000))

    assert "81,000,000" in await refused(answer, "media_unsupported")


async def test_a_picture_of_many_scans_is_refused_without_decoding_it(refused, alice):
    """A small file that goes over its picture again and again would keep a decoder busy for an hour."""
    buffer = io.BytesIO()
    Image.new("L", (64, 64), 128).save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    scan = content[content.rindex(b"\xff\xda") : -2]
    comment = b"\xff\xfe\0\4\xff\xd9"  # what only looks like the picture's end

    for many in (content[:-2] + scan * 100 + content[-2:], content[:-2] + comment + scan * 100 + content[-2:]):
        assert "100 times" in await refused(await alice.upload(many), "media_unsupported")
        await refused(await alice.upload(many, convert="true"), "media_unsupported")
    assert (await alice.upload(content)).status == 201


async def test_what_follows_a_picture_is_no_part_of_it(alice, make_picture):
    """Phones put a film behind the picture; whatever its bytes look like, the picture is taken."""
    assert (await alice.upload(make_picture() + b"\xff\xda" * 200)).status == 201


async def test_a_picture_over_the_limit_is_answered_cleanly(refused, alice, make_picture):
    """8.1 MiB are refused with 413 over the same connection on which the next request works."""
    content = make_picture(2000, 2000, noise=True)
    content += bytes(int(8.1 * 1024 * 1024) - len(content))

    assert "convert=true" in await refused(await alice.upload(content), "media_too_large", 413)
    await refused(await alice.upload(bytes(PICTURE_BYTES_MAX + 1)), "media_too_large", 413)
    assert (await alice.upload(make_picture())).status == 201


async def test_a_body_over_every_limit_is_refused_before_it_is_read(refused, alice):
    """Who announces more than the largest video may have need not send it."""
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(400 * 1024 * 1024)}

    answer = await alice.post("/v1/media", data=b"", headers=headers)

    await refused(answer, "media_too_large", 413)


async def test_a_picture_of_exactly_the_limit_is_taken(alice, make_picture):
    """The last byte of the limit is still inside it."""
    content = make_picture(1080, 1080)
    answer = await alice.upload(content + bytes(LIMIT - len(content)))

    assert answer.status == 201, answer.body


async def test_an_upload_needs_a_form_with_the_field_file(refused, alice, make_picture):
    """Other content types and forms without the field are told what is missing."""
    wrong, none, both = (aiohttp.FormData(default_to_multipart=True) for _ in range(3))
    none.add_field("convert", "true")
    wrong.add_field("picture", io.BytesIO(make_picture()), filename="picture.jpg")
    for _ in range(2):
        both.add_field("file", io.BytesIO(make_picture()), filename="picture.jpg")

    for form in (wrong, none, both):
        await refused(await alice.post("/v1/media", data=form), "validation_failed")
    await refused(await alice.upload(make_picture(), convert="maybe"), "validation_failed")
    await refused(await alice.post("/v1/media", json={}), "unsupported_media_type", 415)
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    await refused(await alice.post("/v1/media", data=b"no form", headers=broken), "malformed_request", 400)
    no_boundary = {"Content-Type": "multipart/form-data"}
    await refused(await alice.post("/v1/media", data=b"x", headers=no_boundary), "malformed_request", 400)


FORBIDDEN_URLS = [
    "http://127.0.0.1:1/picture.jpg",
    "https://127.0.0.1/picture.jpg",
    "https://[::1]/picture.jpg",
    "https://10.0.0.1/picture.jpg",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/picture.jpg",
    "https://2130706433/picture.jpg",
    "https://user:password@example.com/picture.jpg",
    "http://example.com/picture.jpg",
    "file:///etc/passwd",
    "picture.jpg",
    "",
]


async def test_a_url_into_a_private_network_is_refused(refused, alice):
    """The gateway is nobody's way into the network it stands in."""
    for url in FORBIDDEN_URLS:
        await refused(await alice.post("/v1/media/from-url", json={"url": url}), "media_url_forbidden")


async def test_own_addresses_may_be_fetched_and_nothing_beside_them(gateway, refused, alice, make_picture):
    """Only a signed address under PUBLIC_URL may be private; what it serves is inspected like an upload."""
    content, asked = make_picture(), []

    async def serve(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/media/large":
            return web.Response(body=bytes(PICTURE_BYTES_MAX + 1))
        if request.path == "/media/away":
            raise web.HTTPFound("http://127.0.0.1:1/picture.jpg")
        if request.path == "/media/picture":
            return web.Response(body=content, content_type="text/html")
        if request.path == "/media/reel":
            return web.Response(body=REEL)
        raise web.HTTPNotFound

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    async with TestServer(app) as host:
        own = str(host.make_url("/")).rstrip("/")
        urls = MediaUrls(own, secret=b"a secret of this test")
        signed = urls.address("picture")
        deps = replace(gateway.deps, settings=replace(gateway.deps.settings, public_url=own), media_urls=urls)
        async with listen(create_app(deps), host="127.0.0.1", port=0, drain_s=1) as port:
            client = replace(alice, url=f"http://127.0.0.1:{port}")

            async def fetch(url: str):
                return await client.post("/v1/media/from-url", json={"url": url})

            for inside in (f"{own}/metrics", f"{own}/media/picture", signed.replace("/picture", "/../metrics")):
                await refused(await fetch(inside), "media_url_forbidden")
            assert asked == []
            await refused(await fetch(urls.address("away")), "media_url_forbidden")
            await refused(await fetch(urls.address("missing")), "media_unreachable")
            await refused(await fetch(urls.address("large")), "media_too_large", 413)
            taken = await fetch(signed)
            reel = await fetch(urls.address("reel"))

    assert (taken.status, taken.body["sha256"]) == (201, hashlib.sha256(content).hexdigest())
    assert (reel.status, reel.body["sha256"]) == (201, hashlib.sha256(REEL).hexdigest())


async def test_a_row_that_cannot_be_written_leaves_no_file_behind(gateway, alice, make_picture):
    """Bytes are kept before the row, and removed if the row does not come."""
    await gateway.rows("ALTER TABLE media ADD CONSTRAINT refuse CHECK (false)")

    answer = await alice.upload(make_picture(), crash_expected=True)

    assert answer.status == 500
    assert stored_files(gateway) == []
