"""Reading queries and paths: what is unknown is refused, so that a misspelt filter never lists everything."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, NamedTuple, TypeVar, get_args
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


class RemovalQuery(Query, frozen=True, kw_only=True):
    """Whether what waits to be published is canceled with what is removed; else that refuses the removal."""

    cancel: bool = False


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
    known, values = _parameters(shape), dict[str, Any]()
    for name, text in request.query.items():
        parameter = known.get(name)
        if parameter is None:
            if not strict:
                continue
            raise invalid("unknown_field", f"This route knows no parameter {name!r}.", path=name)
        if parameter.field in values:
            raise invalid("invalid_value", f"The parameter {name!r} was given twice.", path=name)
        if "\x00" in text:
            raise invalid("invalid_text", "A text holds a NUL character; remove it.", path=name)
        values[parameter.field] = parameter.read(text, name)
    for name, parameter in known.items():
        if parameter.required and parameter.field not in values:
            raise invalid("missing_field", f"The parameter {name!r} is needed.", path=name)
    return shape(**values)


class _Parameter(NamedTuple):
    field: str  # of the struct
    required: bool
    read: Callable[[str, str], Any]  # from its text, and the name that a fault tells


@functools.cache
def _parameters(shape: type[Query]) -> Mapping[str, _Parameter]:
    # Each look at the fields evaluates their annotations anew, which would be most of a cached read's time.
    return {
        field.encode_name: _Parameter(field.name, field.required, _reader(field.type))
        for field in msgspec.structs.fields(shape)
    }


def _reader(kind: Any) -> Callable[[str, str], Any]:
    kinds = _kinds(kind)
    for one, read in ((bool, _flag), (UUID, _id), (datetime, _time)):
        if one in kinds:
            return read
    choices = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, StrEnum)), None)
    if choices is not None:
        return partial(_choice, choices)
    bounded = any(one.pattern or one.min_length or one.max_length for one in kinds if isinstance(one, msgspec.Meta))
    return _text if str in kinds and not bounded else partial(_converted, kind)


def _text(text: str, _path: str) -> str:
    return text


def _flag(text: str, path: str) -> bool:
    if text.lower() not in _FLAGS:
        raise invalid("invalid_value", "Write true or false.", path=path)
    return _FLAGS[text.lower()]


def _id(text: str, path: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise invalid("invalid_value", "This is no id.", path=path)
    return UUID(text)


def _time(text: str, path: str) -> datetime:
    # A plus sign that was not escaped arrives as a space and is taken for one.
    return parse_time(text.replace(" ", "+"), path=path)


def _kinds(kind: Any) -> list[Any]:
    return [kind, *(inner for part in get_args(kind) for inner in _kinds(part))]


def _choice(choices: type[StrEnum], text: str, path: str) -> StrEnum:
    if text not in set(choices):
        raise invalid("invalid_value", f"Must be one of: {', '.join(choices)}.", path=path)
    return choices(text)


def _converted(kind: Any, text: str, path: str) -> Any:
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
