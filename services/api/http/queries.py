"""Reading queries and paths: what is unknown is refused, so that a misspelt filter never lists everything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from aiohttp import web

from services.api.http.problems import invalid, not_found
from services.api.http.times import parse_time

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_PAGING = frozenset({"limit", "cursor"})


def read_query(request: web.Request, *names: str, paged: bool = False) -> Mapping[str, str]:
    """The query's parameters.

    Raises:
        ProblemError: one is unknown here, comes twice, or holds a NUL.
    """
    known = {*names, *(_PAGING if paged else ())}
    for name in request.query:
        if name not in known:
            raise invalid("unknown_field", f"This route knows no parameter {name!r}.", path=name)
        if len(request.query.getall(name)) > 1:
            raise invalid("invalid_value", f"The parameter {name!r} was given twice.", path=name)
        if "\x00" in request.query[name]:
            raise invalid("invalid_text", "A text holds a NUL character; remove it.", path=name)
    return request.query


def flag_of(query: Mapping[str, str], name: str) -> bool:
    """A yes or no; no if it was not given."""
    text = query.get(name, "false").lower()
    if text not in _FLAGS:
        raise invalid("invalid_value", "Write true or false.", path=name)
    return _FLAGS[text]


def uuid_of(query: Mapping[str, str], name: str) -> UUID | None:
    """An id; None if it was not given."""
    text = query.get(name)
    if text is not None and not _UUID.fullmatch(text):
        raise invalid("invalid_value", "This is no id.", path=name)
    return None if text is None else UUID(text)


def time_of(query: Mapping[str, str], name: str) -> datetime | None:
    """A time; None if it was not given. A plus sign that was not escaped arrives as a space and is taken for one."""
    text = query.get(name)
    return None if text is None else parse_time(text.replace(" ", "+"), path=name)


def choice_of(query: Mapping[str, str], name: str, choices: type[StrEnum]) -> str | None:
    """One of a closed set; None if it was not given."""
    text = query.get(name)
    if text is not None and text not in set(choices):
        raise invalid("invalid_value", f"Must be one of: {', '.join(choices)}.", path=name)
    return text


def path_id(request: web.Request, what: str, *, name: str = "id") -> UUID:
    """The id in the path.

    Raises:
        ProblemError: it has no id's shape, and so there is no such thing.
    """
    text = request.match_info[name]
    if not _UUID.fullmatch(text):
        raise not_found(what)
    return UUID(text)
