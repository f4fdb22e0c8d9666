"""Publications: one post on one account at one time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import AnalyticsSnapshot, Attempt, Publication
from instadistro_client.unset import UNSET, UnsetType, given, stated


class Publications(Resource):
    """`/v1/publications`."""

    def list(
        self,
        *,
        state: str | None = None,
        account_id: Id | None = None,
        group_id: Id | None = None,
        post_id: Id | None = None,
        distribution_id: Id | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
        sort: str | None = None,
        archived: bool | None = None,
    ) -> Listing[Publication]:
        """The publications, newest first; `begin` and `end` bound `publish_at`, the end excluded.

        `archived` asks for those that ended long ago, by account, post or distribution.
        """
        filters: dict[str, Any] = {
            "state": state,
            "account_id": account_id,
            "group_id": group_id,
            "post_id": post_id,
            "distribution_id": distribution_id,
            "from": begin,
            "to": end,
            "sort": sort,
            "archived": archived,
        }
        return self._list("/v1/publications", Publication, **filters)

    async def get(self, publication_id: Id) -> Publication:
        """One publication."""
        return await self._get(f"/v1/publications/{publication_id}", Publication)

    async def update(
        self,
        publication_id: Id,
        *,
        publish_at: datetime | UnsetType = UNSET,
        max_lateness_s: int | UnsetType | None = UNSET,
    ) -> Publication:
        """Move a publication that has not begun to another time, or change how late it may be (None: however late)."""
        body = given(publish_at=publish_at, max_lateness_s=max_lateness_s)
        return await self._patch(f"/v1/publications/{publication_id}", Publication, body)

    async def cancel(self, publication_id: Id) -> Publication:
        """Take a publication back before it begins."""
        return cast("Publication", await self._post(f"/v1/publications/{publication_id}/cancel", Publication))

    async def retry(self, publication_id: Id, *, allow_duplicate: bool = False) -> Publication:
        """Try again what failed, was missed or canceled."""
        body = {"allow_duplicate": allow_duplicate}
        return cast("Publication", await self._post(f"/v1/publications/{publication_id}/retry", Publication, body=body))

    async def resolve(
        self, publication_id: Id, *, outcome: str, media_id: str | None = None, permalink: str | None = None
    ) -> Publication:
        """Say what became of a publication whose outcome is unknown: `published` or `failed`."""
        body = stated(outcome=outcome, media_id=media_id, permalink=permalink)
        path = f"/v1/publications/{publication_id}/resolve"
        return cast("Publication", await self._post(path, Publication, body=body))

    async def attempts(self, publication_id: Id) -> Sequence[Attempt]:
        """The newest hundred attempts of a publication."""
        return await self._all(f"/v1/publications/{publication_id}/attempts", Attempt)

    async def analytics(self, publication_id: Id) -> Sequence[AnalyticsSnapshot]:
        """The numbers of a publication over time, newest first."""
        return await self._all(f"/v1/publications/{publication_id}/analytics", AnalyticsSnapshot)
