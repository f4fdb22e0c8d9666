"""What an entry of the catalogue says, and where its statement comes from: the very text that the code runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from importlib import import_module
from itertools import combinations
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

_SOME_ID = UUID(int=0)
_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_SOME_LIMIT = 50


class Kind(StrEnum):
    """Why an index is of the shape it is."""

    PRIMARY = "primary"  # names the row
    UNIQUE = "unique"  # keeps two rows from being the same thing, and finds them by it
    PLAIN = "plain"  # one column, which is condition and order
    COMPOSITE = "composite"  # the columns of a condition, then those of the order
    PARTIAL = "partial"  # only rows that a query can mean
    COVERING = "covering"  # has all that a query reads, so that the table is left alone
    GIN = "GIN"  # finds a row by one element of an array
    FOREIGN_KEY = "foreign key"  # finds the rows that go with a deleted parent


@dataclass(frozen=True, kw_only=True)
class Index:
    """One index of the database."""

    name: str
    table: str
    kind: Kind
    why: str  # what would be slow, or wrong, without it


@dataclass(frozen=True, kw_only=True)
class CataloguedQuery:
    """One query of the code, and the index that makes it fast."""

    name: str  # `accounts.find`: the table it is about, and what it does
    #: `package.module:NAME`, or `:NAME.field`: the constant that the code runs, or the function that builds it.
    source: str
    #: $1, $2, ...: a text is the name of a sample (see `SAMPLES`), anything else stands for itself.
    arguments: tuple[Any, ...] = ()
    index: str = ""  # made for this query, or as good as that: it must be in the plan; empty only if `whole` says why
    also: tuple[str, ...] = ()  # others that must be in the plan
    ordered: bool = False  # the index gives the order: nothing is sorted
    whole: str = ""  # why a table that grows is read as a whole; empty: it never is

    @property
    def indexes(self) -> tuple[str, ...]:
        """All that must be in the plan, the first before the others."""
        return tuple(name for name in (self.index, *self.also) if name)

    def statement(self) -> str:
        """The statement as the code sends it.

        Raises:
            LookupError: the source is not there any more. Bring the entry to where the statement went.
        """
        return cast("str", resolve(self.source))

    def statements(self) -> Iterator[str]:
        """Every text that this entry speaks for."""
        yield self.statement()


class Place(StrEnum):
    """Where in a list a page lies."""

    FIRST = "first"
    AFTER = "after"  # a cursor forward
    BEFORE = "before"  # a cursor back


@dataclass(frozen=True, kw_only=True)
class CataloguedPage(CataloguedQuery):
    """One page of a list; its statement is put together by the list's store and the pagination."""

    filters: tuple[str, ...] = ()  # those in use; any further ones only leave out rows that the index found
    place: Place
    column: str = "created_at"
    direction: str = "DESC"

    def statement(self) -> str:
        """The statement of this page with these filters."""
        return self._page(_base(self.source, self.filters), inclusive=False)

    def statements(self) -> Iterator[str]:
        """The page with every set of filters that the list can have."""
        for base in _bases(self.source):
            yield self._page(base, inclusive=False)
            yield self._page(base, inclusive=True)
            yield resolve("shared.pagination:build_count_query")(base, _SOME_LIMIT).sql

    def _page(self, base: str, *, inclusive: bool) -> str:
        cursor = None
        if self.place is not Place.FIRST:
            cursor = resolve("shared.pagination:Cursor")(
                column=resolve("shared.pagination:SortColumn")(self.column),
                value=_SOME_TIME,
                id=_SOME_ID,
                backward=self.place is Place.BEFORE,
                inclusive=inclusive,
            )
        build = resolve("shared.pagination:build_cursor_query")
        return cast("str", build(base, cursor, _SOME_LIMIT, self.column, self.direction).sql)


def pages(first: CataloguedPage) -> tuple[CataloguedPage, ...]:
    """An entry for the first page, and those for the pages after and before a cursor."""
    *given, limit = first.arguments
    onward = (*given, "created_at", "row_id", limit)
    return (
        first,
        replace(first, name=f"{first.name}_after", place=Place.AFTER, arguments=onward),
        replace(first, name=f"{first.name}_before", place=Place.BEFORE, arguments=onward),
    )


def resolve(source: str) -> Any:
    """What a dotted path means. Resolved late: the database knows none of the packages whose queries it catalogues.

    Raises:
        LookupError: it is not there.
    """
    module, _, name = source.partition(":")
    try:
        return attrgetter(name)(import_module(module))
    except (ImportError, AttributeError) as error:
        raise LookupError(f"the index catalogue names {source}, which is not there. Correct the entry.") from error


def _base(source: str, filters: tuple[str, ...]) -> str:
    found = resolve(source)
    if isinstance(found, str):
        return found
    given = {name: _SOME_ID if name in filters else None for name in _filters_of(found)}
    sql, _ = found(_SOME_ID, **given)
    return cast("str", sql)


def _bases(source: str) -> Iterator[str]:
    found = resolve(source)
    names = () if isinstance(found, str) else _filters_of(found)
    for size in range(len(names) + 1):
        for chosen in combinations(names, size):
            yield _base(source, chosen)


def _filters_of(builder: Callable[..., Any]) -> tuple[str, ...]:
    """The keyword arguments of a store's `list_query`: the filters that the list can have."""
    parameters = inspect.signature(builder).parameters.values()
    return tuple(parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY)
