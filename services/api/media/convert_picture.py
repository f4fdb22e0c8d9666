"""A process that reads a picture from standard input and writes a JPEG to the file whose number is its argument.

The JPEG is upright, sRGB, without transparency and metadata, at most 1440 pixels wide. Started by `examine.py`; its
answer says whether a JPEG was written, or what is wrong with the picture.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

from PIL import Image, ImageCms, ImageOps, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin

from services.api.media.confinement import confine
from services.api.media.jpeg_scans import SCANS_MAX, count_scans
from services.api.media.picture_limits import (
    JPEG_BYTES_MAX,
    ORIENTATION_TAG,
    PIXELS_MAX,
    PROGRESSIVE_PIXELS_MAX,
    UPRIGHT,
)

# Loaded by name, for nothing can be imported once the process is confined: what Pillow loads when it needs it.
_PLUGINS = (MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
_FORMATS = ("JPEG", "PNG", "WEBP")
_JPEG = frozenset({"JPEG", "MPO"})
#: The platform makes wider pictures this wide itself.
_WIDTH_MAX = 1440
_TURNED = range(5, 9)  # orientations whose width is stored as height
_QUALITIES = (92, 85, 75, 65, 50)
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


def main() -> None:
    """Convert the picture."""
    target = int(sys.argv[1])
    srgb = ImageCms.createProfile("sRGB")
    Image.preinit()
    confine()
    try:
        made = _convert(sys.stdin.buffer.read(), srgb)
    except _DAMAGE:
        made = {"fault": "damaged"}
    except MemoryError:
        made = {"fault": "memory"}
    json.dump(_write(made, target) if isinstance(made, bytes) else made, sys.stdout)


def _write(content: bytes, target: int) -> dict[str, Any]:
    try:
        with os.fdopen(target, "wb") as file:
            file.write(content)
    except OSError as error:
        return {"fault": "disk", "errno": error.errno}
    return {"converted": True}


def _convert(content: bytes, srgb: Any) -> bytes | dict[str, Any]:
    """The JPEG; or else why there is none, or that the picture is one that needs no change."""
    image = Image.open(io.BytesIO(content), formats=_FORMATS)
    if image.width * image.height > PIXELS_MAX:
        return {"fault": "pixels", "pixels": image.width * image.height}
    if image.format != "MPO" and getattr(image, "is_animated", False):
        return {"fault": "animated"}
    scans = count_scans(content) if image.format in _JPEG else 1
    if scans > SCANS_MAX:
        return {"fault": "scans"}
    if len(content) <= JPEG_BYTES_MAX and _is_fit(image, scans=scans):
        image.load()
        return {"converted": False}
    return _encode(_make_srgb(_make_upright(_make_plain(image)), srgb)) or {"fault": "large"}


def _is_fit(image: Image.Image, *, scans: int) -> bool:
    """Whether it is a plain JPEG, which a second compression would only harm."""
    upright = image.getexif().get(ORIENTATION_TAG, UPRIGHT) == UPRIGHT
    light = scans <= 1 or image.width * image.height <= PROGRESSIVE_PIXELS_MAX
    return image.format == "JPEG" and image.mode in {"RGB", "L"} and light and upright and _is_srgb(image)


def _is_srgb(image: Image.Image) -> bool:
    profile = image.info.get("icc_profile")
    if not profile:
        return True
    try:
        return "srgb" in ImageCms.getProfileDescription(io.BytesIO(profile)).lower()
    except ImageCms.PyCMSError:
        return False


def _make_plain(image: Image.Image) -> Image.Image:
    """The picture with 8 bits for each colour, in place of 16, of a palette, or of a colour that means none."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"P", "PA", "1"} or "transparency" in image.info:
        return image.convert("RGBA")
    return image


def _make_upright(image: Image.Image) -> Image.Image:
    """The picture as it is meant to be seen, and not larger than the platform shows it."""
    turned = image.getexif().get(ORIENTATION_TAG, UPRIGHT) in _TURNED
    width, height = (image.height, image.width) if turned else image.size
    if width > _WIDTH_MAX:
        shown = (_WIDTH_MAX, max(1, round(height * _WIDTH_MAX / width)))
        stored, info = shown[::-1] if turned else shown, image.info
        image.draft(None, stored)
        image = image.resize(stored, Image.Resampling.LANCZOS, reducing_gap=3.0)
        image.info = info
    return ImageOps.exif_transpose(image)


def _make_srgb(image: Image.Image, srgb: Any) -> Image.Image:
    """Colours in sRGB, on white where it is transparent."""
    profile = image.info.get("icc_profile")
    alpha = image.getchannel("A") if "A" in image.getbands() else None
    if alpha is not None:
        image = image.convert("L" if image.mode == "LA" else "RGB")
    image = _convert_colours(image, profile, srgb) if profile else image.convert("RGB")
    if alpha is not None:
        image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
    image.info = {}
    return image


def _convert_colours(image: Image.Image, profile: bytes, srgb: Any) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        converted = None  # a profile that does not fit its picture says nothing about its colours
    return converted or image.convert("RGB")


def _encode(image: Image.Image) -> bytes | None:
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= JPEG_BYTES_MAX:
            return buffer.getvalue()
    return None


if __name__ == "__main__":
    main()
