"""Lists: one page, or everything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from instadistro_client.transport import Request, Transport

T = TypeVar("T")


class Pagination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page lies in its list."""

    limit: int
    next_cursor: str | None
    prev_cursor: str | None
    has_more: bool
    total: int | None = None  # if it was asked for
    total_is_exact: bool | None = None


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list."""

    data: list[T]
    pagination: Pagination


class Listing(Generic[T]):
    """A list that is fetched page by page as it is read: `async for account in api.accounts.list(): ...`."""

    def __init__(self, transport: Transport, path: str, shape: type[T], query: Mapping[str, Any]) -> None:
        self._transport = transport
        self._path = path
        self._shape = shape
        self._query = query

    async def page(self, *, cursor: str | None = None, limit: int | None = None, count: bool = False) -> Page[T]:
        """One page.

        Args:
            cursor: of another page; None for the first.
            limit: rows, 1 to 100.
            count: whether `pagination.total` is to be told.
        """
        query = {**self._query, "cursor": cursor, "limit": limit, "count": True if count else None}
        shape: Any = Page[self._shape]  # type: ignore[name-defined]
        page: Page[T] = await self._transport.call(Request(method="GET", path=self._path, query=query), shape)
        return page

    async def __aiter__(self) -> AsyncIterator[T]:
        """Every row, in the list's order."""
        cursor: str | None = None
        while True:
            page = await self.page(cursor=cursor, limit=100)
            for row in page.data:
                yield row
            cursor = page.pagination.next_cursor
            if cursor is None:
                return
