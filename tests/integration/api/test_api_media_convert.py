"""Conversion: what the user allows to be changed becomes a JPEG as Instagram takes it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image, ImageCms

from services.api.media.spool import PICTURE_BYTES_MAX

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
ORIENTATION = 0x0112
DESCRIPTION = 0x010E


def encoded(image: Image.Image, encoding: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, encoding, **options)
    return buffer.getvalue()


def half_red(mode: str = "RGB", size: tuple[int, int] = (800, 800)) -> Image.Image:
    """A picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    return image.convert(mode)


def swapped_profile() -> bytes:
    """A profile of a device whose red is sRGB's blue, and the other way round."""
    content = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = content.replace(b"rXYZ", b"?XYZ", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"?XYZ", b"bXYZ", 1)
    return content.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))


@pytest.fixture
def convert(alice, gateway):
    """Upload with `convert=true`; gives the answer's body and the picture that is served."""

    async def convert(content: bytes):
        answer = await alice.upload(content, convert="true")
        assert answer.status == 201, answer.body
        path = answer.body["url"].removeprefix(gateway.deps.settings.public_url)
        served = await replace(alice, api_key=None).get(path)
        assert len(served.content) == answer.body["bytes"]
        return answer.body, Image.open(io.BytesIO(served.content))

    return convert


def is_near(found, wanted) -> bool:
    """JPEG changes colours a little."""
    return all(abs(one - other) <= 12 for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("encoding", ["PNG", "WEBP"])
async def test_a_transparent_picture_stands_on_white(convert, encoding):
    """PNG and WebP become a JPEG of the same size; where they are clear, they are white."""
    image = half_red("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda value: 255 if value > 127 else 0))

    made, picture = await convert(encoded(image, encoding, lossless=True))

    assert (made["mime"], made["width"], made["height"]) == ("image/jpeg", 800, 800)
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    assert is_near(picture.getpixel((100, 100)), WHITE)
    assert is_near(picture.getpixel((100, 700)), RED)
    assert is_near(picture.getpixel((700, 700)), BLUE)


def deep_grey() -> Image.Image:
    """16 bits of grey, half as bright as white."""
    return Image.new("I;16", (800, 800), 32768)


async def test_pictures_of_other_depths_keep_their_colours(convert):
    """A palette, one bit, 16 bits of grey and a colour that stands for none are all shown as they were meant."""
    palette = half_red().quantize(4)
    clear_blue = encoded(half_red(), "PNG", transparency=BLUE)
    for content, wanted in (
        (encoded(palette, "PNG"), BLUE),
        (encoded(Image.new("1", (800, 800), 1), "PNG"), WHITE),
        (encoded(deep_grey(), "PNG"), (128, 128, 128)),
        (encoded(Image.new("LA", (800, 800), (90, 255)), "PNG"), (90, 90, 90)),
        (clear_blue, WHITE),
    ):
        _, picture = await convert(content)

        assert is_near(picture.convert("RGB").getpixel((700, 700)), wanted)


async def test_a_turned_picture_is_set_upright(alice, convert, refused):
    """A JPEG with a note how to turn it is refused, and with conversion comes out as it is meant to be seen."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned by a quarter, clockwise
    exif[DESCRIPTION] = "where it was taken"
    content = encoded(half_red(size=(1000, 800)), "JPEG", exif=exif)

    assert "convert=true" in await refused(await alice.upload(content), "media_unsupported")
    made, picture = await convert(content)

    assert (made["width"], made["height"]) == (800, 1000)
    assert is_near(picture.getpixel((400, 100)), RED)
    assert is_near(picture.getpixel((400, 900)), BLUE)
    assert dict(picture.getexif()) == {}


@pytest.mark.parametrize("encoding", ["JPEG", "PNG", "WEBP"])
async def test_a_large_turned_picture_is_made_as_wide_as_the_platform_shows(convert, encoding):
    """What is wider than 1440 pixels is scaled by the width that is seen, not the one that is stored."""
    exif = Image.Exif()
    exif[ORIENTATION] = 8
    content = encoded(half_red(size=(2000, 1800)), encoding, exif=exif)

    made, picture = await convert(content)

    assert (made["width"], made["height"]) == (1440, 1600)
    assert is_near(picture.getpixel((700, 1500)), RED)


async def test_colours_of_another_space_become_srgb(convert):
    """The numbers change so that the colours stay; a profile that is broken is passed over."""
    profile = swapped_profile()
    for content, wanted in (
        (encoded(half_red(), "JPEG", icc_profile=profile, quality=95, subsampling=0), BLUE),
        (encoded(half_red("RGBA"), "PNG", icc_profile=profile), BLUE),
        (encoded(half_red(), "PNG", icc_profile=b"no profile at all"), RED),
        (encoded(half_red("CMYK"), "JPEG", quality=95), RED),
    ):
        _, picture = await convert(content)

        assert picture.mode == "RGB"
        assert is_near(picture.getpixel((100, 400)), wanted)
        assert "icc_profile" not in picture.info


async def test_a_picture_that_needs_nothing_is_kept_byte_for_byte(alice, make_picture):
    """A second compression would only harm a JPEG that is fit already."""
    content = make_picture(1920, 1200)

    first, second = [(await alice.upload(content, convert=choice)).body for choice in ("true", "false")]

    assert (first["sha256"], first["width"]) == (second["sha256"], 1920)


async def test_a_picture_over_the_platforms_limit_is_made_smaller(convert, make_picture):
    """A JPEG of more than 8 MiB comes out under the limit."""
    content = make_picture(3000, 3000, noise=True)
    assert 8 * 1024 * 1024 < len(content) < PICTURE_BYTES_MAX

    made, _ = await convert(content)

    assert (made["width"], made["formats"][0]) == (1440, "feed_image")


async def test_of_several_pictures_in_a_jpeg_the_first_is_kept(alice, convert, refused):
    """Phones store such files; the platform does not take them."""
    content = encoded(half_red(), "MPO", save_all=True, append_images=[Image.new("RGB", (800, 800), WHITE)])

    assert "convert=true" in await refused(await alice.upload(content), "media_unsupported")
    _, picture = await convert(content)

    assert picture.format == "JPEG"
    assert is_near(picture.getpixel((100, 400)), RED)


async def test_a_huge_progressive_picture_is_made_smaller(alice, convert, refused):
    """A small file of this kind takes hundreds of megabytes to decode: the gateway itself does not do it."""
    content = encoded(Image.new("L", (5000, 5000), 128), "JPEG", progressive=True)

    assert "convert=true" in await refused(await alice.upload(content), "media_unsupported")
    made, _ = await convert(content)

    assert made["width"] == 1440


async def test_what_cannot_be_converted_is_told(alice, refused, make_picture):
    """Animations, other types, damaged and too large pictures are refused with the reason."""
    frames = [Image.new("RGB", (400, 400), color) for color in (RED, BLUE)]
    animation = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    broken = encoded(Image.effect_noise((800, 800), 90), "PNG")
    for content, code, told in (
        (animation, "media_unsupported", "animation"),
        (encoded(half_red(), "GIF"), "media_unsupported", "GIF"),
        (make_picture(9000, 9000, "PNG"), "media_unsupported", "81,000,000"),
        (broken[: len(broken) // 2], "media_invalid", "damaged"),
        (broken[:20], "media_invalid", "damaged"),
    ):
        assert told in await refused(await alice.upload(content, convert="true"), code)
