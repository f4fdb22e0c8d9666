from __future__ import annotations

import io
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

from deploy.emulator.error_table import FORMAT_UNSUPPORTED
from deploy.emulator.errors import GraphError

_PIXELS_MAX = 64_000_000
_PREVIEW_SIZE = (480, 600)  # pixels
_BACKDROP = ((32, 36, 48), (88, 96, 120))  # of a video's thumbnail, from top to bottom


def look_into_picture(file: IO[bytes]) -> tuple[int, int, bytes]:
    """Width, height and a preview of a whole JPEG. Takes milliseconds of CPU: call it in a thread.

    Raises:
        GraphError: it is no JPEG, none that is whole, or one of several pictures; give it to the client.
    """
    try:
        with Image.open(file, formats=("JPEG",)) as image:
            width, height = image.size
            # A file of several pictures opens as MPO, which the platform does not take.
            if image.format != "JPEG" or width * height > _PIXELS_MAX:
                raise GraphError(FORMAT_UNSUPPORTED)
            # Decoded at a fraction of the size: all data is still read, so a cut file shows, for less work.
            image.draft("RGB", _PREVIEW_SIZE)
            image.load()
            return width, height, _preview(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise GraphError(FORMAT_UNSUPPORTED) from error


def _preview(image: Image.Image) -> bytes:
    small = ImageOps.exif_transpose(image).convert("RGB")
    small.thumbnail(_PREVIEW_SIZE)
    return _jpeg(small)


def video_thumbnail(width: int, height: int) -> bytes:
    """A stand-in for a frame of a video, which would need a decoder: a plain JPEG of the video's shape."""
    scale = 480 / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    ramp = Image.linear_gradient("L").resize(size)
    return _jpeg(ImageOps.colorize(ramp, *_BACKDROP))


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
