"""What the platform demands of media, and the look into the bytes that checks it."""

from __future__ import annotations

import asyncio
import hashlib
import io
from dataclasses import dataclass
from fractions import Fraction

from PIL import Image, UnidentifiedImageError

from deploy.emulator.errors import FORMAT_UNSUPPORTED, IMAGE_TOO_LARGE, RATIO_UNSUPPORTED, GraphError

_PIXELS_MAX = 64_000_000
_PASSED_KEPT = 256


@dataclass(frozen=True, kw_only=True)
class MediaRules:
    """Limits of one kind of media, and how a published one of it describes itself."""

    bytes_max: int
    ratio_min: Fraction  # width / height
    ratio_max: Fraction
    media_type: str
    media_product_type: str


FEED_IMAGE = MediaRules(
    bytes_max=8 * 1024 * 1024,
    ratio_min=Fraction(4, 5),
    ratio_max=Fraction(191, 100),
    media_type="IMAGE",
    media_product_type="FEED",
)


@dataclass(frozen=True, kw_only=True)
class InspectedImage:
    """An image that passed."""

    bytes: int
    width: int  # pixels
    height: int  # pixels


class Inspector:
    """Inspects images, and knows again the latest that passed: a distribution brings the same file to every account."""

    def __init__(self) -> None:
        self._passed: dict[tuple[bytes, MediaRules], InspectedImage] = {}  # oldest first

    async def inspect(self, content: bytes, rules: MediaRules) -> InspectedImage:
        """`inspect_image` in a thread, unless these bytes passed lately.

        Raises:
            GraphError: as `inspect_image`.
        """
        key = (hashlib.sha256(content).digest(), rules)
        if key not in self._passed:
            image = await asyncio.to_thread(inspect_image, content, rules)
            self._passed[key] = image
            while len(self._passed) > _PASSED_KEPT:
                del self._passed[next(iter(self._passed))]
            return image
        return self._passed[key]


def inspect_image(content: bytes, rules: MediaRules) -> InspectedImage:
    """Decode the image and hold it against the rules. Takes milliseconds of CPU: call it in a thread.

    Raises:
        GraphError: too large, not a whole JPEG, or a wrong ratio; give it to the client.
    """
    if len(content) > rules.bytes_max:
        raise GraphError(IMAGE_TOO_LARGE)
    width, height = _decode_jpeg(content)
    if not rules.ratio_min <= Fraction(width, height) <= rules.ratio_max:
        raise GraphError(RATIO_UNSUPPORTED, f"The aspect ratio is not supported: {width}x{height}")
    return InspectedImage(bytes=len(content), width=width, height=height)


def _decode_jpeg(content: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            size = image.size
            # A file of several pictures opens as MPO, which the platform does not take.
            if image.format != "JPEG" or size[0] * size[1] > _PIXELS_MAX:
                raise GraphError(FORMAT_UNSUPPORTED)
            # At an eighth of the size all data is still read, so a cut file shows, for a fraction of the work.
            image.draft("L", (max(1, size[0] // 8), max(1, size[1] // 8)))
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise GraphError(FORMAT_UNSUPPORTED) from error
    return size
