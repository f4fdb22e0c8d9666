"""The look into a JPEG: whether it can be decoded to its end, and how it is shown."""

from __future__ import annotations

import io
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from services.api.http import ProblemError, invalid
from services.api.media.jpeg_scans import SCANS_MAX, count_scans
from services.api.media.picture_limits import ORIENTATION_TAG, PIXELS_MAX, PROGRESSIVE_PIXELS_MAX, UPRIGHT

_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Warning)


def inspect_picture(file: BinaryIO) -> tuple[int, int]:
    """Width and height of a JPEG, in pixels.

    Raises:
        ProblemError: it is damaged (`media_invalid`), or of a kind that the platform does not take as it is
            (`media_unsupported`).
    """
    file.seek(0)
    content = file.read()
    try:
        image = Image.open(io.BytesIO(content), formats=("JPEG",))
    except (UnidentifiedImageError, *_DAMAGE) as error:
        raise damaged() from error
    with image:
        _require_plain(image, scans=count_scans(content))
        width, height = image.size
        try:
            if image.getexif().get(ORIENTATION_TAG, UPRIGHT) != UPRIGHT:
                raise _turned()
            # At an eighth of the size all data is still read, so a cut file shows, for a fraction of the work.
            image.draft("L", (max(1, width // 8), max(1, height // 8)))
            image.load()
        except _DAMAGE as error:
            raise damaged() from error
    return width, height


def damaged() -> ProblemError:
    """The problem of a file that cannot be read to its end."""
    message = "The file is damaged or cut off; it cannot be read to its end."
    return invalid("media_invalid", message, path="file")


def too_many_pixels(count: int) -> ProblemError:
    """The problem of a file that would unpack to too much."""
    return invalid(
        "media_unsupported", f"It has {count:,} pixels; at most {PIXELS_MAX:,} are decoded. Scale it down.", path="file"
    )


def too_many_scans() -> ProblemError:
    """The problem of a file that would keep a decoder busy for too long."""
    message = f"It goes over its picture more than {SCANS_MAX} times. Save it anew, as an ordinary JPEG."
    return invalid("media_unsupported", message, path="file")


def _require_plain(image: Image.Image, *, scans: int) -> None:
    if image.format != "JPEG":
        message = f"This is {image.format}, several pictures in one file. With convert=true the first of them is kept."
        raise invalid("media_unsupported", message, path="file")
    if image.width * image.height > PIXELS_MAX:
        raise too_many_pixels(image.width * image.height)
    if scans > SCANS_MAX:
        raise too_many_scans()
    if scans > 1 and image.width * image.height > PROGRESSIVE_PIXELS_MAX:
        message = (
            f"A progressive JPEG may have {PROGRESSIVE_PIXELS_MAX:,} pixels. With convert=true it is made smaller."
        )
        raise invalid("media_unsupported", message, path="file")


def _turned() -> ProblemError:
    # Whether the platform obeys the tag is nowhere said, and a picture that went out sideways stays sideways.
    message = (
        "The picture is stored turned, with a note how to turn it back (EXIF). With convert=true it is set upright."
    )
    return invalid("media_unsupported", message, path="file")
