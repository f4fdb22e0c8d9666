"""Distributions: a post to a group over a window of time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import Distributed, Distribution, Halted, Resumed, Retried
from instadistro_client.unset import UNSET, UnsetType, given, stated


class Distributions(Resource):
    """`/v1/distributions`."""

    def list(
        self,
        *,
        post_id: Id | None = None,
        group_id: Id | None = None,
        schedule_id: Id | None = None,
        state: str | None = None,
        sort: str | None = None,
    ) -> Listing[Distribution]:
        """The distributions, newest first."""
        filters = {"post_id": post_id, "group_id": group_id, "schedule_id": schedule_id}
        return self._list("/v1/distributions", Distribution, **filters, state=state, sort=sort)

    async def get(self, distribution_id: Id) -> Distribution:
        """One distribution, its publications counted by state."""
        return await self._get(f"/v1/distributions/{distribution_id}", Distribution)

    async def create(
        self,
        *,
        post_id: Id,
        group_id: Id,
        begin: datetime,
        end: datetime,
        min_gap_s: float = 0.0,
        max_lateness_s: int | UnsetType | None = UNSET,
        seed: int | None = None,
        allow_duplicate: bool = False,
        on_conflict: str = "refuse",
        plan_digest: str | None = None,
        dry_run: bool = False,
    ) -> Distributed:
        """Spread a post over a window, or with `dry_run` only show the plan.

        The plan's `seed` and `plan_digest`, given again, carry out exactly the plan that was shown.
        """
        wish: dict[str, Any] = {"post_id": post_id, "group_id": group_id, "window": {"from": begin, "to": end}}
        wish |= {"min_gap_s": min_gap_s, "allow_duplicate": allow_duplicate, "on_conflict": on_conflict}
        body = wish | stated(seed=seed, plan_digest=plan_digest) | given(max_lateness_s=max_lateness_s)
        query = {"dry_run": dry_run}
        return cast("Distributed", await self._post("/v1/distributions", Distributed, body=body, query=query))

    async def pause(self, distribution_id: Id) -> Halted:
        """Hold what has not been sent; what was is listed."""
        return cast("Halted", await self._post(f"/v1/distributions/{distribution_id}/pause", Halted))

    async def resume(self, distribution_id: Id) -> Resumed:
        """Let a paused distribution go on."""
        return cast("Resumed", await self._post(f"/v1/distributions/{distribution_id}/resume", Resumed))

    async def cancel(self, distribution_id: Id) -> Halted:
        """Cancel what has not been sent; what was is listed."""
        return cast("Halted", await self._post(f"/v1/distributions/{distribution_id}/cancel", Halted))

    async def retry_failed(self, distribution_id: Id, *, allow_duplicate: bool = False) -> Retried:
        """Try again what failed or was missed."""
        body = {"allow_duplicate": allow_duplicate}
        return cast(
            "Retried", await self._post(f"/v1/distributions/{distribution_id}/retry-failed", Retried, body=body)
        )
