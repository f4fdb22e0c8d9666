"""The look into an image's bytes: what the platform would refuse is refused here, before anything is planned on it."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from fractions import Fraction

from PIL import Image, UnidentifiedImageError

from services.api.http.problems import ProblemError, invalid

#: The platform's limits of a feed image.
IMAGE_BYTES_MAX = 8 * 1024 * 1024
_RATIO_MIN, _RATIO_MAX = Fraction(4, 5), Fraction(191, 100)
_WIDTH_MIN = 320
_PIXELS_MAX = 64_000_000
# Recognised only to be named; nothing but JPEG is ever decoded.
_KNOWN_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
_AT_ONCE = 2
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Warning)


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """An image that passed."""

    width: int  # pixels
    height: int  # pixels


class Inspector:
    """Inspects images in threads, two at a time: decoding is work for a processor core."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def inspect(self, content: bytes) -> ImageFacts:
        """Look into an image.

        Raises:
            ProblemError: no JPEG (`media_unsupported`, naming what it is), damaged (`media_invalid`), or outside the
                platform's measures (`media_unsupported`).
        """
        async with self._places:
            return await asyncio.to_thread(inspect_image, content)


def inspect_image(content: bytes) -> ImageFacts:
    """Look into an image, in this thread. Raises as `Inspector.inspect`."""
    width, height = _decode_jpeg(content)
    if width < _WIDTH_MIN:
        raise _outside(f"It is {width} pixels wide; at least {_WIDTH_MIN} are needed.")
    if not _RATIO_MIN <= Fraction(width, height) <= _RATIO_MAX:
        raise _outside(
            f"Its width to height is {width / height:.2f} ({width} x {height}); "
            f"the platform takes {float(_RATIO_MIN):g} to {float(_RATIO_MAX):g}."
        )
    return ImageFacts(width=width, height=height)


def _decode_jpeg(content: bytes) -> tuple[int, int]:
    try:
        image = Image.open(io.BytesIO(content), formats=_KNOWN_FORMATS)
    except UnidentifiedImageError as error:
        raise _no_jpeg("something else") from error
    except _DAMAGE as error:
        raise _damaged() from error
    with image:
        if image.format != "JPEG":
            raise _no_jpeg(image.format or "something else")
        width, height = image.size
        if width * height > _PIXELS_MAX:
            raise _outside(f"It has {width * height:,} pixels; at most {_PIXELS_MAX:,} are decoded.")
        try:
            # At an eighth of the size all data is still read, so a cut file shows, for a fraction of the work.
            image.draft("L", (max(1, width // 8), max(1, height // 8)))
            image.load()
        except _DAMAGE as error:
            raise _damaged() from error
    return width, height


def _no_jpeg(what: str) -> ProblemError:
    return invalid(
        "media_unsupported", f"Only JPEG images are taken; this is {what}, whatever its name says.", path="file"
    )


def _outside(why: str) -> ProblemError:
    return invalid("media_unsupported", why, path="file")


def _damaged() -> ProblemError:
    return invalid("media_invalid", "The image is damaged or cut off; it cannot be decoded to its end.", path="file")
