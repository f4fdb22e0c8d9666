"""Taking an import out of a multipart upload, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from services.api.http import ProblemError, invalid, too_large
from services.api.http.bodies import refuse_before_reading

# Boundaries and headers around a file; a body far beyond file and wrapping is refused before it is read.
_WRAPPING_BYTES_MAX = 64 * 1024
_PARTS_MAX = 20
_TOO_LARGE = "body_too_large"


async def receive_form(request: web.Request, *, limit: int) -> AsyncIterator[bytes]:
    """The content of the field `file` of a `multipart/form-data` upload, as it arrives.

    Args:
        request: the upload.
        limit: most bytes of the file.

    Raises:
        ProblemError: no such field, too large, or no form.
    """
    refuse_before_reading(request, limit=limit, code=_TOO_LARGE, wrapping=_WRAPPING_BYTES_MAX)
    try:
        file = await _find_file(await request.multipart())
        async for piece in _pieces(file, limit=limit):
            yield piece
    # The reader's words for a body that is no multipart.
    except (ValueError, AssertionError, RuntimeError, HttpProcessingError) as error:
        raise ProblemError("malformed_request", "The body is no well-formed multipart/form-data.") from error


async def _find_file(parts: MultipartReader) -> BodyPartReader:
    for _ in range(_PARTS_MAX):
        part = await parts.next()
        if part is None:
            break
        if isinstance(part, BodyPartReader):
            if part.name == "file":
                return part
            async for _piece in _pieces(part, limit=_WRAPPING_BYTES_MAX):
                pass
    raise invalid("missing_field", "The field 'file' is missing.", path="file")


async def _pieces(part: BodyPartReader, *, limit: int) -> AsyncIterator[bytes]:
    received = 0
    while piece := await part.read_chunk():
        received += len(piece)
        if received > limit:
            raise too_large(limit, _TOO_LARGE)
        yield piece
