"""What all resources share: the way to the gateway, and the usual calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from instadistro_client.pages import Listing, Page
from instadistro_client.transport import Request, Transport

T = TypeVar("T")
Id = UUID | str


class Resource:
    """Calls under one path."""

    def __init__(self, transport: Transport) -> None:
        """Speak through this transport."""
        self._transport = transport

    async def _get(self, path: str, shape: type[T]) -> T:
        return await self._transport.call(Request(method="GET", path=path), shape)

    async def _all(self, path: str, shape: type[T]) -> Sequence[T]:
        """What is never more than one page."""
        kind: Any = Page[shape]  # type: ignore[valid-type]
        page: Page[T] = await self._get(path, kind)
        return page.data

    async def _post(self, path: str, shape: Any, *, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        return await self._transport.call(Request(method="POST", path=path, body=body, query=query or {}), shape)

    async def _patch(self, path: str, shape: type[T], body: Mapping[str, Any]) -> T:
        return await self._transport.call(Request(method="PATCH", path=path, body=body), shape)

    async def _put(self, path: str) -> None:
        await self._transport.send(Request(method="PUT", path=path))

    async def _delete(self, path: str, shape: Any, *, query: Mapping[str, Any] | None = None) -> Any:
        return await self._transport.call(Request(method="DELETE", path=path, query=query or {}), shape)

    def _list(self, path: str, shape: type[T], **filters: Any) -> Listing[T]:
        return Listing(self._transport, path, shape, filters)
