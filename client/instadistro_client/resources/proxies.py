"""Proxies, and the protocols of warm-up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import Protocol, Proxy, ProxyTest
from instadistro_client.unset import UNSET, UnsetType, given, stated


class Proxies(Resource):
    """`/v1/proxies`."""

    def list(self, *, status: str | None = None, sort: str | None = None) -> Listing[Proxy]:
        """The proxies, newest first."""
        return self._list("/v1/proxies", Proxy, status=status, sort=sort)

    async def get(self, proxy_id: Id) -> Proxy:
        """One proxy; its credentials never leave."""
        return await self._get(f"/v1/proxies/{proxy_id}", Proxy)

    async def create(
        self, *, name: str, scheme: str, host: str, port: int, credentials: dict[str, str] | None = None
    ) -> Proxy:
        """Add a proxy; credentials are `{"username", "password"}`."""
        body = stated(name=name, scheme=scheme, host=host, port=port, credentials=credentials)
        return cast("Proxy", await self._post("/v1/proxies", Proxy, body=body))

    async def update(
        self,
        proxy_id: Id,
        *,
        name: str | UnsetType = UNSET,
        scheme: str | UnsetType = UNSET,
        host: str | UnsetType = UNSET,
        port: int | UnsetType = UNSET,
        credentials: dict[str, str] | UnsetType | None = UNSET,
    ) -> Proxy:
        """Change a proxy; what is left out stays."""
        body = given(name=name, scheme=scheme, host=host, port=port, credentials=credentials)
        return await self._patch(f"/v1/proxies/{proxy_id}", Proxy, body)

    async def remove(self, proxy_id: Id) -> None:
        """Remove a proxy that no account uses."""
        await self._delete(f"/v1/proxies/{proxy_id}", None)

    async def test(self, proxy_id: Id) -> ProxyTest:
        """Reach the platform through a proxy, now."""
        return cast("ProxyTest", await self._post(f"/v1/proxies/{proxy_id}/test", ProxyTest))


class Protocols(Resource):
    """`/v1/protocols`."""

    async def list(self) -> Sequence[Protocol]:
        """The protocols of warm-up."""
        return await self._all("/v1/protocols", Protocol)

    async def get(self, protocol_id: str) -> Protocol:
        """One protocol."""
        return await self._get(f"/v1/protocols/{protocol_id}", Protocol)
