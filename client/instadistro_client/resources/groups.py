"""Groups of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import Account, Group
from instadistro_client.unset import UNSET, UnsetType, given, stated


class Groups(Resource):
    """`/v1/groups`."""

    def list(self, *, tag: str | None = None, account_id: Id | None = None, sort: str | None = None) -> Listing[Group]:
        """The groups, newest first."""
        return self._list("/v1/groups", Group, tag=tag, account_id=account_id, sort=sort)

    async def get(self, group_id: Id) -> Group:
        """One group."""
        return await self._get(f"/v1/groups/{group_id}", Group)

    async def create(
        self,
        *,
        name: str,
        color: str | None = None,
        tags: Sequence[str] | None = None,
        account_ids: Sequence[Id] | None = None,
    ) -> Group:
        """Make a group."""
        body = stated(name=name, color=color, tags=tags, account_ids=account_ids)
        return cast("Group", await self._post("/v1/groups", Group, body=body))

    async def update(
        self,
        group_id: Id,
        *,
        name: str | UnsetType = UNSET,
        color: str | UnsetType | None = UNSET,
        tags: Sequence[str] | UnsetType = UNSET,
    ) -> Group:
        """Change a group; what is left out stays."""
        return await self._patch(f"/v1/groups/{group_id}", Group, given(name=name, color=color, tags=tags))

    async def remove(self, group_id: Id, *, cancel: bool = False) -> None:
        """Remove a group; with `cancel` schedules that use it are paused, without it they refuse the removal."""
        await self._delete(f"/v1/groups/{group_id}", None, query={"cancel": cancel})

    def accounts(self, group_id: Id) -> Listing[Account]:
        """The accounts of a group."""
        return self._list(f"/v1/groups/{group_id}/accounts", Account)

    async def change_members(self, group_id: Id, *, add: Sequence[Id] = (), remove: Sequence[Id] = ()) -> Group:
        """Put accounts in and take others out, at once."""
        body = {"add": list(add), "remove": list(remove)}
        return cast("Group", await self._post(f"/v1/groups/{group_id}/accounts", Group, body=body))

    async def add_account(self, group_id: Id, account_id: Id) -> None:
        """Put one account in."""
        await self._put(f"/v1/groups/{group_id}/accounts/{account_id}")

    async def remove_account(self, group_id: Id, account_id: Id) -> None:
        """Take one account out."""
        await self._delete(f"/v1/groups/{group_id}/accounts/{account_id}", None)
