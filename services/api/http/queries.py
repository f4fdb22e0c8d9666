"""Reading queries and paths: what is unknown is refused, so that a misspelt filter never lists everything."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_args
from uuid import UUID

import msgspec
from aiohttp import web

from services.api.http.problems import invalid, not_found
from services.api.http.times import parse_time
from shared.pagination import PAGINATION_LIMITS

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_LIMIT_SCHEMA = {
    "type": "integer",
    "minimum": PAGINATION_LIMITS.MIN,
    "maximum": PAGINATION_LIMITS.MAX,
    "default": PAGINATION_LIMITS.DEFAULT,
}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what routes read from the query: one field a parameter, each with a default unless it must be given.

    Fields are texts, flags, whole numbers, ids, times or enumerations; a parameter that is no Python name is
    `msgspec.field(name=...)`.
    """


class NoQuery(Query, frozen=True, kw_only=True):
    """The route reads no parameters."""


class PageQuery(Query, frozen=True, kw_only=True):
    """Which page of a list, and whether its rows are to be counted."""

    limit: Annotated[
        str | None, msgspec.Meta(description="Rows a page; brought inside its bounds.", extra_json_schema=_LIMIT_SCHEMA)
    ] = None
    cursor: Annotated[str | None, msgspec.Meta(description="Where the page begins, from an earlier answer.")] = None
    count: Annotated[bool, msgspec.Meta(description="Whether `pagination` tells how many rows the list has.")] = False


Q = TypeVar("Q", bound=Query)


def read_query(request: web.Request, shape: type[Q], *, strict: bool = True) -> Q:
    """The query's parameters; without `strict`, those that are unknown here are passed over.

    Raises:
        ProblemError: one is unknown here, comes twice, is missing, holds a NUL, or is not what it should be.
    """
    known = _fields(shape)
    for name in request.query:
        if name not in known:
            if not strict:
                continue
            raise invalid("unknown_field", f"This route knows no parameter {name!r}.", path=name)
        if len(request.query.getall(name)) > 1:
            raise invalid("invalid_value", f"The parameter {name!r} was given twice.", path=name)
        if "\x00" in request.query[name]:
            raise invalid("invalid_text", "A text holds a NUL character; remove it.", path=name)
    for name, field in known.items():
        if field.required and name not in request.query:
            raise invalid("missing_field", f"The parameter {name!r} is needed.", path=name)
    given = {name: text for name, text in request.query.items() if name in known}
    return shape(**{known[name].name: _value(text, known[name].type, name) for name, text in given.items()})


@functools.cache
def _fields(shape: type[Query]) -> Mapping[str, msgspec.structs.FieldInfo]:
    # Each look at them evaluates their annotations anew, which would be most of a cached read's time.
    return {field.encode_name: field for field in msgspec.structs.fields(shape)}


def _value(text: str, kind: Any, path: str) -> Any:
    kinds = _kinds(kind)
    if bool in kinds:
        if text.lower() not in _FLAGS:
            raise invalid("invalid_value", "Write true or false.", path=path)
        return _FLAGS[text.lower()]
    if UUID in kinds:
        if not _UUID.fullmatch(text):
            raise invalid("invalid_value", "This is no id.", path=path)
        return UUID(text)
    if datetime in kinds:
        # A plus sign that was not escaped arrives as a space and is taken for one.
        return parse_time(text.replace(" ", "+"), path=path)
    choices = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, StrEnum)), None)
    if choices is not None:
        return _choice(text, choices, path)
    return _converted(text, kind, path)


def _kinds(kind: Any) -> list[Any]:
    return [kind, *(inner for part in get_args(kind) for inner in _kinds(part))]


def _choice(text: str, choices: type[StrEnum], path: str) -> StrEnum:
    if text not in set(choices):
        raise invalid("invalid_value", f"Must be one of: {', '.join(choices)}.", path=path)
    return choices(text)


def _converted(text: str, kind: Any, path: str) -> Any:
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid("invalid_value", f"{error}.", path=path) from error


def path_id(request: web.Request, what: str, *, name: str = "id") -> UUID:
    """The id in the path.

    Raises:
        ProblemError: it has no id's shape, and so there is no such thing.
    """
    text = request.match_info[name]
    if not _UUID.fullmatch(text):
        raise not_found(what)
    return UUID(text)
