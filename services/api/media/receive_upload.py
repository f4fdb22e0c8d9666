"""Taking the file out of a multipart upload, piece by piece onto the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from services.api.http import ProblemError, invalid
from services.api.http.bodies import refuse_before_reading
from services.api.media.pace import Pace
from services.api.media.spool import VIDEO_BYTES_MAX, SpooledFile

# Boundaries and headers around a file; a body far beyond file and wrapping is refused before it is read.
_WRAPPING_BYTES_MAX = 64 * 1024
_PARTS_MAX = 20
_CHUNK_BYTES = 256 * 1024
_FIELD_BYTES_MAX = 16
_CHOICES = {"true": True, "false": False}


async def receive_upload(request: web.Request, into: SpooledFile) -> bool:
    """Write the content of the field `file` into `into`; returns the field `convert`, false if it is missing.

    Raises:
        ProblemError: another content type, other fields or none, too large, too slow, or no room.
    """
    if request.content_type != "multipart/form-data":
        detail = "Send the file as the field 'file' of multipart/form-data."
        raise ProblemError("unsupported_media_type", detail)
    refuse_before_reading(request, limit=VIDEO_BYTES_MAX, code="media_too_large", wrapping=_WRAPPING_BYTES_MAX)
    try:
        return await _read_form(request, into)
    # The reader's words for a body that is no multipart.
    except (ValueError, AssertionError, RuntimeError, HttpProcessingError) as error:
        raise ProblemError("malformed_request", "The body is no well-formed multipart/form-data.") from error


async def _read_form(request: web.Request, into: SpooledFile) -> bool:
    pace = Pace()
    found, convert = False, False
    async for part in _parts(request, pace):
        if part.name == "convert":
            convert = await _read_choice(part, pace)
        elif part.name != "file":
            raise invalid(
                "unknown_field", "A form holds the field 'file' and may hold 'convert'.", path=part.name or ""
            )
        elif found:
            raise invalid("invalid_value", "A form holds one file; send each on its own.", path="file")
        else:
            found = True
            while chunk := await pace.read(part.read_chunk(_CHUNK_BYTES)):
                await into.write(chunk)
    if not found:
        raise invalid("missing_field", "The field 'file' is missing.", path="file")
    return convert


async def _parts(request: web.Request, pace: Pace) -> AsyncIterator[BodyPartReader]:
    reader = await request.multipart()
    for _ in range(_PARTS_MAX):
        part = await pace.wait(reader.next())
        if part is None:
            return
        if isinstance(part, BodyPartReader):
            yield part
    raise invalid("invalid_value", f"A form has at most {_PARTS_MAX} parts.", path="file")


async def _read_choice(part: BodyPartReader, pace: Pace) -> bool:
    content = b""
    while chunk := await pace.read(part.read_chunk()):
        content += chunk
        if len(content) > _FIELD_BYTES_MAX:
            break
    choice = _CHOICES.get(content.decode(errors="replace"))
    if choice is None:
        raise invalid("invalid_value", "'convert' is true or false.", path="convert")
    return choice
