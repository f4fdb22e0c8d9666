"""API keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import ApiKey, MadeApiKey
from instadistro_client.unset import UNSET, UnsetType, given, stated


class ApiKeys(Resource):
    """`/v1/api-keys`."""

    def list(self) -> Listing[ApiKey]:
        """The keys, newest first."""
        return self._list("/v1/api-keys", ApiKey)

    async def get(self, key_id: Id) -> ApiKey:
        """One key, without its secret."""
        return await self._get(f"/v1/api-keys/{key_id}", ApiKey)

    async def create(
        self,
        *,
        name: str,
        scopes: Sequence[str],
        account_ids: Sequence[Id] | None = None,
        expires_at: datetime | None = None,
    ) -> MadeApiKey:
        """Make a key. It is shown this once."""
        body = stated(name=name, scopes=scopes, account_ids=account_ids, expires_at=expires_at)
        return cast("MadeApiKey", await self._post("/v1/api-keys", MadeApiKey, body=body))

    async def update(
        self,
        key_id: Id,
        *,
        name: str | UnsetType = UNSET,
        scopes: Sequence[str] | UnsetType = UNSET,
        account_ids: Sequence[Id] | UnsetType | None = UNSET,
        expires_at: datetime | UnsetType | None = UNSET,
    ) -> ApiKey:
        """Change what a key may do; what is left out stays."""
        body = given(name=name, scopes=scopes, account_ids=account_ids, expires_at=expires_at)
        return await self._patch(f"/v1/api-keys/{key_id}", ApiKey, body)

    async def rotate(
        self, key_id: Id, *, overlap_s: int | None = None, expires_at: datetime | None = None
    ) -> MadeApiKey:
        """Make the key that takes over; the old one still works for `overlap_s`: a day unless said otherwise."""
        path, body = f"/v1/api-keys/{key_id}/rotate", stated(overlap_s=overlap_s, expires_at=expires_at)
        return cast("MadeApiKey", await self._post(path, MadeApiKey, body=body))

    async def revoke(self, key_id: Id) -> None:
        """End a key."""
        await self._delete(f"/v1/api-keys/{key_id}", None)
