"""Reading bodies: bounded, within a deadline, and of exactly the shape a route asks for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from aiohttp import hdrs, web

from services.api.http.problems import Fault, ProblemError

T = TypeVar("T")

JSON_BYTES_MAX = 1024 * 1024
BODY_DEADLINE_S = 60.0
_WHERE = re.compile(r" - at `(?:key` in `)?\$?(?P<path>[^`]*)`$")
# A short one is a slip of the pen; a long one may be a token that was put in the wrong place.
_QUOTED = re.compile(r" '.{33,}'$", re.DOTALL)
_FAULT_CODES = (("unknown field", "unknown_field"), ("missing required field", "missing_field"))


#: What a form's field holds that is a file. Forms are described by it; streams are read by their routes.
FilePart: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "binary"})]


#: A field that must be given, with a default all the same: the route tells that it is missing, beside all other faults.
NEEDED = msgspec.Meta(extra_json_schema={"x-needed": True})


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what JSON bodies hold."""


async def read_bytes(request: web.Request, *, limit: int, code: str = "body_too_large") -> bytes:
    """The whole body.

    Raises:
        ProblemError: it is larger than `limit` bytes (`code`), or does not arrive in time.
    """
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for chunk in receive_bytes(request, limit=limit, code=code):
                content += chunk
    except TimeoutError as error:
        raise ProblemError("request_timeout", f"The body did not arrive within {BODY_DEADLINE_S:g} s.") from error
    return bytes(content)


async def receive_bytes(request: web.Request, *, limit: int, code: str = "body_too_large") -> AsyncIterator[bytes]:
    """The body as it arrives; how long that may take is the caller's to bound.

    Raises:
        ProblemError: it is larger than `limit` bytes (`code`).
    """
    refuse_before_reading(request, limit=limit, code=code)
    received = 0
    async for chunk in request.content.iter_any():
        received += len(chunk)
        if received > limit:
            raise too_large(limit, code)
        yield chunk


def refuse_before_reading(request: web.Request, *, limit: int, code: str, wrapping: int = 0) -> None:
    """Refuse what the headers alone show to be unfit; `wrapping` bytes around the content are not held against it.

    Raises:
        ProblemError: the body is larger than `limit` bytes (`code`), or compressed, so that nobody knows its size.
    """
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise ProblemError("unsupported_media_type", "Send the body as it is, without Content-Encoding.")
    if (request.content_length or 0) > limit + wrapping:
        raise too_large(limit, code)


def too_large(limit: int, code: str) -> ProblemError:
    """The problem of a body over its limit."""
    return ProblemError(code, f"At most {limit:,} bytes are accepted here.")


def decode_json(content: bytes, shape: type[T]) -> T:
    """Bytes as `shape`.

    Raises:
        ProblemError: no JSON (`malformed_json`), or another shape (`validation_failed`, with the path).
    """
    try:
        value = msgspec.json.decode(content, type=shape)
    except msgspec.ValidationError as error:
        raise _wrong_shape(str(error)) from error
    except UnicodeDecodeError as error:
        raise ProblemError("malformed_json", "The body is not UTF-8; JSON always is.") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProblemError("malformed_json", f"The body is no JSON: {error}.") from error
    # The escape is the only way of a NUL into a JSON text, and PostgreSQL can store none.
    if b"\\u0000" in content:
        _refuse_nul(value)
    return value


def _refuse_nul(value: Any) -> None:
    try:
        path = _find_nul(msgspec.to_builtins(value), "")
    except RecursionError as error:
        raise ProblemError("malformed_json", "The body is nested too deep.") from error
    if path is not None:
        message = "A text holds a NUL character; remove it."
        fault = Fault(code="invalid_text", message=message, path=path)
        raise ProblemError("validation_failed", message, errors=[fault])


def _wrong_shape(message: str) -> ProblemError:
    found = _WHERE.search(message)
    path = found["path"].lstrip(".") if found else ""
    text = _QUOTED.sub("", message[: found.start()] if found else message)
    message = f"{text}{found[0]}" if found else text
    code = next((code for words, code in _FAULT_CODES if words in text), "invalid_value")
    if code != "invalid_value":  # the field is named in the words, its object in the path
        name = text.partition("`")[2].rstrip("`")
        path = f"{path}.{name}" if path else name
    fault = Fault(code=code, message=f"{text}.", path=path)
    return ProblemError("validation_failed", f"The body does not fit: {message}.", errors=[fault])


def _find_nul(value: Any, path: str) -> str | None:
    if isinstance(value, str):
        return path if "\x00" in value else None
    if isinstance(value, dict):
        items = [(f"{path}.{name}" if path else str(name), item) for name, item in value.items()]
        if any("\x00" in str(name) for name in value):
            return path
    elif isinstance(value, list):
        items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        return None
    return next((found for name, item in items if (found := _find_nul(item, name)) is not None), None)
