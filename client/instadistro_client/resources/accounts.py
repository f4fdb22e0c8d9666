"""Accounts, their state at the platform, and the swarm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import (
    Account,
    AnalyticsSnapshot,
    Connecting,
    Health,
    HealthOverride,
    Imported,
    Operation,
    PastHealth,
    Publication,
    Quota,
    Removed,
    Swarm,
    Verified,
)
from instadistro_client.transport import Request
from instadistro_client.unset import UNSET, UnsetType, given, stated

_CSV = "text/csv"


class Accounts(Resource):
    """`/v1/accounts`."""

    def list(
        self,
        *,
        state: str | None = None,
        tag: str | None = None,
        username: str | None = None,
        group_id: Id | None = None,
        proxy_id: Id | None = None,
        protocol_id: str | None = None,
        sort: str | None = None,
    ) -> Listing[Account]:
        """The accounts, newest first."""
        return self._list(
            "/v1/accounts",
            Account,
            state=state,
            tag=tag,
            username=username,
            group_id=group_id,
            proxy_id=proxy_id,
            protocol_id=protocol_id,
            sort=sort,
        )

    async def get(self, account_id: Id) -> Account:
        """One account."""
        return await self._get(f"/v1/accounts/{account_id}", Account)

    async def create(
        self,
        *,
        username: str,
        instagram_user_id: str,
        access_token: str,
        token_expires_at: datetime | None = None,
        tags: Sequence[str] | None = None,
        proxy_id: Id | None = None,
        protocol_id: str | None = None,
    ) -> Account:
        """Add an account whose owner granted access."""
        body = stated(
            username=username,
            instagram_user_id=instagram_user_id,
            access_token=access_token,
            token_expires_at=token_expires_at,
            tags=tags,
            proxy_id=proxy_id,
            protocol_id=protocol_id,
        )
        return cast("Account", await self._post("/v1/accounts", Account, body=body))

    async def update(
        self,
        account_id: Id,
        *,
        username: str | UnsetType = UNSET,
        tags: Sequence[str] | UnsetType = UNSET,
        access_token: str | UnsetType = UNSET,
        token_expires_at: datetime | UnsetType | None = UNSET,
        proxy_id: Id | UnsetType | None = UNSET,
        protocol_id: str | UnsetType | None = UNSET,
    ) -> Account:
        """Change an account; what is left out stays."""
        body = given(
            username=username,
            tags=tags,
            access_token=access_token,
            token_expires_at=token_expires_at,
            proxy_id=proxy_id,
            protocol_id=protocol_id,
        )
        return await self._patch(f"/v1/accounts/{account_id}", Account, body)

    async def remove(self, account_id: Id, *, cancel: bool = False) -> Removed:
        """Remove an account; with `cancel` what waits for it is canceled, without it that refuses the removal."""
        query = {"cancel": cancel}
        return cast("Removed", await self._delete(f"/v1/accounts/{account_id}", Removed, query=query))

    async def pause(self, account_id: Id) -> Account:
        """Hold what comes due on an account."""
        return cast("Account", await self._post(f"/v1/accounts/{account_id}/pause", Account))

    async def resume(self, account_id: Id) -> Account:
        """Let an account publish again."""
        return cast("Account", await self._post(f"/v1/accounts/{account_id}/resume", Account))

    async def verify(self, account_id: Id) -> Verified:
        """Ask the platform about an account now."""
        return cast("Verified", await self._post(f"/v1/accounts/{account_id}/verify", Verified))

    async def connect(self, *, protocol_id: str | None = None, proxy_id: Id | None = None) -> Connecting:
        """Begin the connection of an account: its owner opens the address that is answered."""
        body = stated(protocol_id=protocol_id, proxy_id=proxy_id)
        return cast("Connecting", await self._post("/v1/accounts/connect", Connecting, body=body))

    async def import_(self, content: bytes, *, content_type: str = _CSV, dry_run: bool = False) -> Imported:
        """Add and change many accounts at once: all, or none.

        Args:
            content: a CSV file, or a JSON list.
            content_type: `text/csv` or `application/json`.
            dry_run: only check.

        Raises:
            InvalidRequestError: rows have faults; `problem.errors` names line and field of each.
        """
        request = self._import(content, content_type=content_type, headers={}, dry_run=dry_run)
        return await self._transport.call(request, Imported)

    async def import_later(self, content: bytes, *, content_type: str = _CSV) -> Operation:
        """The same as an operation that goes on by itself: watch it with `operations.wait`."""
        request = self._import(content, content_type=content_type, headers={"Prefer": "respond-async"}, dry_run=False)
        return await self._transport.call(request, Operation)

    async def health(self, account_id: Id) -> Health:
        """The newest judgement of an account."""
        return await self._get(f"/v1/accounts/{account_id}/health", Health)

    def health_history(
        self, account_id: Id, *, begin: datetime | None = None, end: datetime | None = None
    ) -> Listing[PastHealth]:
        """What was judged of an account, newest first; `begin` and `end` bound `computed_at`, the end excluded."""
        filters: dict[str, Any] = {"from": begin, "to": end}
        return self._list(f"/v1/accounts/{account_id}/health/history", PastHealth, **filters)

    def analytics(
        self,
        account_id: Id,
        *,
        source: str | None = None,
        publication_id: Id | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
    ) -> Listing[AnalyticsSnapshot]:
        """Numbers over time, newest first; `begin` and `end` bound `captured_at`, the end excluded."""
        filters: dict[str, Any] = {"source": source, "publication_id": publication_id, "from": begin, "to": end}
        return self._list(f"/v1/accounts/{account_id}/analytics", AnalyticsSnapshot, **filters)

    async def override_health(self, account_id: Id, *, hours: int, reason: str) -> HealthOverride:
        """Let an account go on whatever its health is, for 1 to 720 hours; the reason is kept in the audit log."""
        body = {"hours": hours, "reason": reason}
        path = f"/v1/accounts/{account_id}/health/override"
        return cast("HealthOverride", await self._post(path, HealthOverride, body=body))

    async def end_health_override(self, account_id: Id) -> HealthOverride:
        """Let what follows from an account's health be in force again."""
        path = f"/v1/accounts/{account_id}/health/override"
        return cast("HealthOverride", await self._delete(path, HealthOverride))

    async def quota(self, account_id: Id) -> Quota:
        """How much an account may publish."""
        return await self._get(f"/v1/accounts/{account_id}/quota", Quota)

    def publications(self, account_id: Id, *, state: str | None = None) -> Listing[Publication]:
        """The publications of an account, newest first."""
        return self._list(f"/v1/accounts/{account_id}/publications", Publication, state=state)

    async def swarm(self) -> Swarm:
        """All accounts seen together."""
        return await self._get("/v1/accounts/stats/swarm", Swarm)

    def _import(self, content: bytes, *, content_type: str, headers: dict[str, str], dry_run: bool) -> Request:
        return Request(
            method="POST",
            path="/v1/accounts/import",
            query={"dry_run": dry_run},
            content=lambda: BytesIO(content),
            headers={"Content-Type": content_type, **headers},
        )
