"""Post queues: posts that wait for schedules to take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import PostQueue
from instadistro_client.unset import UNSET, UnsetType, given, stated


class PostQueues(Resource):
    """`/v1/post-queues`."""

    def list(self, *, sort: str | None = None) -> Listing[PostQueue]:
        """The post queues, newest first."""
        return self._list("/v1/post-queues", PostQueue, sort=sort)

    async def get(self, post_queue_id: Id) -> PostQueue:
        """One post queue, with the posts that wait in it."""
        return await self._get(f"/v1/post-queues/{post_queue_id}", PostQueue)

    async def create(
        self, *, name: str, on_empty: str | None = None, post_ids: Sequence[Id] | None = None
    ) -> PostQueue:
        """Make a post queue; `on_empty` is `wait` or `repeat`."""
        body = stated(name=name, on_empty=on_empty, post_ids=post_ids)
        return cast("PostQueue", await self._post("/v1/post-queues", PostQueue, body=body))

    async def update(
        self,
        post_queue_id: Id,
        *,
        name: str | UnsetType = UNSET,
        on_empty: str | UnsetType = UNSET,
        post_ids: Sequence[Id] | UnsetType = UNSET,
    ) -> PostQueue:
        """Change a post queue; `post_ids` wait in it instead of those that do."""
        body = given(name=name, on_empty=on_empty, post_ids=post_ids)
        return await self._patch(f"/v1/post-queues/{post_queue_id}", PostQueue, body)

    async def remove(self, post_queue_id: Id, *, cancel: bool = False) -> None:
        """Remove a post queue; with `cancel` schedules that use it are paused, without it they refuse the removal."""
        await self._delete(f"/v1/post-queues/{post_queue_id}", None, query={"cancel": cancel})

    async def append(self, post_queue_id: Id, post_ids: Sequence[Id]) -> PostQueue:
        """Put posts behind those that wait."""
        body = {"post_ids": list(post_ids)}
        return cast("PostQueue", await self._post(f"/v1/post-queues/{post_queue_id}/posts", PostQueue, body=body))
