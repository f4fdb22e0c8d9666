"""Posts, and the wish to have them published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import Accepted, Post, Removed, Validation
from instadistro_client.unset import UNSET, UnsetType, given, stated


class Posts(Resource):
    """`/v1/posts`."""

    def list(
        self,
        *,
        type_: str | None = None,
        media_id: Id | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
        sort: str | None = None,
    ) -> Listing[Post]:
        """The posts, newest first; `begin` and `end` bound `created_at`, the end excluded."""
        filters: dict[str, Any] = {"type": type_, "media_id": media_id, "from": begin, "to": end, "sort": sort}
        return self._list("/v1/posts", Post, **filters)

    async def get(self, post_id: Id) -> Post:
        """One post, with its status."""
        return await self._get(f"/v1/posts/{post_id}", Post)

    async def create(
        self,
        *,
        media_ids: Sequence[Id],
        type_: str = "image",
        caption: str = "",
        overrides: Mapping[Id, Mapping[str, str]] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Post:
        """Store a post; nothing is published yet.

        Args:
            media_ids: in the order in which they are shown.
            type_: `image`, `carousel`, `reel` or `story`.
            caption: for all accounts.
            overrides: `{account id: {"caption": ...}}`.
            options: what else the format takes, such as `alt_texts`.
        """
        body = stated(type=type_, caption=caption, media_ids=media_ids, overrides=overrides, options=options)
        return cast("Post", await self._post("/v1/posts", Post, body=body))

    async def update(
        self,
        post_id: Id,
        *,
        type_: str | UnsetType = UNSET,
        caption: str | UnsetType = UNSET,
        media_ids: Sequence[Id] | UnsetType = UNSET,
        overrides: Mapping[Id, Mapping[str, str]] | UnsetType = UNSET,
        options: Mapping[str, Any] | UnsetType = UNSET,
    ) -> Post:
        """Change a post that is live nowhere yet; what waits is published as it is then."""
        body = given(type=type_, caption=caption, media_ids=media_ids, overrides=overrides, options=options)
        return await self._patch(f"/v1/posts/{post_id}", Post, body)

    async def remove(self, post_id: Id, *, cancel: bool = False) -> Removed:
        """Remove a post; with `cancel` what waits is canceled, without it that refuses the removal."""
        query = {"cancel": cancel}
        return cast("Removed", await self._delete(f"/v1/posts/{post_id}", Removed, query=query))

    async def validate(
        self,
        post_id: Id,
        *,
        account_ids: Sequence[Id] | None = None,
        group_id: Id | None = None,
        allow_duplicate: bool = False,
    ) -> Validation:
        """What would stand in the way of publishing a post: everywhere, or on these accounts."""
        body = stated(account_ids=account_ids, group_id=group_id) | {"allow_duplicate": allow_duplicate}
        return cast("Validation", await self._post(f"/v1/posts/{post_id}/validate", Validation, body=body))

    async def publish(
        self,
        post_id: Id,
        *,
        account_ids: Sequence[Id] | None = None,
        group_id: Id | None = None,
        publish_at: datetime | None = None,
        max_lateness_s: int | UnsetType | None = UNSET,
        allow_duplicate: bool = False,
    ) -> Accepted:
        """Publish a post on accounts or on a group's, now or at a time."""
        wish = stated(account_ids=account_ids, group_id=group_id, publish_at=publish_at)
        body = wish | given(max_lateness_s=max_lateness_s) | {"allow_duplicate": allow_duplicate}
        return cast("Accepted", await self._post(f"/v1/posts/{post_id}/publish", Accepted, body=body))
