"""Taking an import out of a multipart upload, without ever holding more than its limit."""

from __future__ import annotations

import asyncio

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from services.api.http import ProblemError, invalid, too_large
from services.api.http.bodies import BODY_DEADLINE_S, refuse_before_reading

# Boundaries and headers around a file; a body far beyond file and wrapping is refused before it is read.
_WRAPPING_BYTES_MAX = 64 * 1024
_PARTS_MAX = 20
_TOO_LARGE = "body_too_large"


async def receive_form(request: web.Request, *, limit: int) -> bytes:
    """The content of the field `file`.

    Args:
        request: a `multipart/form-data` upload.
        limit: most bytes of the file.

    Raises:
        ProblemError: no such field, too large, or too slow.
    """
    refuse_before_reading(request, limit=limit, code=_TOO_LARGE, wrapping=_WRAPPING_BYTES_MAX)
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            return await _find_file(await request.multipart(), limit=limit)
    except TimeoutError as error:
        raise ProblemError("request_timeout", f"The file did not arrive within {BODY_DEADLINE_S:g} s.") from error
    # The reader's words for a body that is no multipart.
    except (ValueError, AssertionError, RuntimeError, HttpProcessingError) as error:
        raise ProblemError("malformed_request", "The body is no well-formed multipart/form-data.") from error


async def _find_file(parts: MultipartReader, *, limit: int) -> bytes:
    for _ in range(_PARTS_MAX):
        part = await parts.next()
        if part is None:
            break
        if isinstance(part, BodyPartReader) and part.name == "file":
            return await _read(part, limit=limit)
        if isinstance(part, BodyPartReader):
            await _read(part, limit=_WRAPPING_BYTES_MAX)
    raise invalid("missing_field", "The field 'file' is missing.", path="file")


async def _read(part: BodyPartReader, *, limit: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > limit:
            raise too_large(limit, _TOO_LARGE)
    return bytes(content)
