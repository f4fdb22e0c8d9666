"""Schedules: rules by which posts are published again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import Preview, Schedule, ScheduleOccurrence
from instadistro_client.transport import Request
from instadistro_client.unset import UNSET, UnsetType, given, stated

#: A wall time of a week: `{"weekday": "mon", "time": "09:30"}`.
Slot = Mapping[str, str]


class Schedules(Resource):
    """`/v1/schedules`."""

    def list(
        self,
        *,
        state: str | None = None,
        account_id: Id | None = None,
        group_id: Id | None = None,
        post_id: Id | None = None,
        post_queue_id: Id | None = None,
        sort: str | None = None,
    ) -> Listing[Schedule]:
        """The schedules, newest first."""
        return self._list(
            "/v1/schedules",
            Schedule,
            state=state,
            account_id=account_id,
            group_id=group_id,
            post_id=post_id,
            post_queue_id=post_queue_id,
            sort=sort,
        )

    async def get(self, schedule_id: Id) -> Schedule:
        """One schedule, and when it is due next."""
        return await self._get(f"/v1/schedules/{schedule_id}", Schedule)

    async def create(
        self,
        *,
        name: str,
        timezone: str,
        cron: str | None = None,
        slots: Sequence[Slot] | None = None,
        dst_gap: str | None = None,
        dst_overlap: str | None = None,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        misfire: str | None = None,
        account_id: Id | None = None,
        group_id: Id | None = None,
        post_id: Id | None = None,
        post_queue_id: Id | None = None,
        window_s: int = 0,
        min_gap_s: float = 0.0,
        max_lateness_s: int | UnsetType | None = UNSET,
    ) -> Schedule:
        """Make a schedule by `cron` or `slots`."""
        body = stated(
            name=name,
            timezone=timezone,
            cron=cron,
            slots=slots,
            dst_gap=dst_gap,
            dst_overlap=dst_overlap,
            starts_at=starts_at,
            ends_at=ends_at,
            misfire=misfire,
            account_id=account_id,
            group_id=group_id,
            post_id=post_id,
            post_queue_id=post_queue_id,
            window_s=window_s,
            min_gap_s=min_gap_s,
        ) | given(max_lateness_s=max_lateness_s)
        return cast("Schedule", await self._post("/v1/schedules", Schedule, body=body))

    async def try_out(
        self,
        *,
        timezone: str,
        cron: str | None = None,
        slots: Sequence[Slot] | None = None,
        dst_gap: str | None = None,
        dst_overlap: str | None = None,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        account_id: Id | None = None,
        group_id: Id | None = None,
        post_id: Id | None = None,
        post_queue_id: Id | None = None,
    ) -> Preview:
        """When a schedule would be due that is made with these; nothing is made."""
        body = stated(
            name="Tried out",
            timezone=timezone,
            cron=cron,
            slots=slots,
            dst_gap=dst_gap,
            dst_overlap=dst_overlap,
            starts_at=starts_at,
            ends_at=ends_at,
            account_id=account_id,
            group_id=group_id,
            post_id=post_id,
            post_queue_id=post_queue_id,
        )
        return cast("Preview", await self._post("/v1/schedules", Preview, body=body, query={"dry_run": True}))

    async def update(
        self,
        schedule_id: Id,
        *,
        name: str | UnsetType = UNSET,
        cron: str | UnsetType | None = UNSET,
        slots: Sequence[Slot] | UnsetType | None = UNSET,
        timezone: str | UnsetType = UNSET,
        dst_gap: str | UnsetType = UNSET,
        dst_overlap: str | UnsetType = UNSET,
        starts_at: datetime | UnsetType | None = UNSET,
        ends_at: datetime | UnsetType | None = UNSET,
        misfire: str | UnsetType = UNSET,
        account_id: Id | UnsetType | None = UNSET,
        group_id: Id | UnsetType | None = UNSET,
        post_id: Id | UnsetType | None = UNSET,
        post_queue_id: Id | UnsetType | None = UNSET,
        window_s: int | UnsetType = UNSET,
        min_gap_s: float | UnsetType = UNSET,
        max_lateness_s: int | UnsetType | None = UNSET,
    ) -> Schedule:
        """Change a schedule; what is left out stays, but that one of a pair takes the other's place."""
        body = given(
            name=name,
            cron=cron,
            slots=slots,
            timezone=timezone,
            dst_gap=dst_gap,
            dst_overlap=dst_overlap,
            starts_at=starts_at,
            ends_at=ends_at,
            misfire=misfire,
            account_id=account_id,
            group_id=group_id,
            post_id=post_id,
            post_queue_id=post_queue_id,
            window_s=window_s,
            min_gap_s=min_gap_s,
            max_lateness_s=max_lateness_s,
        )
        return await self._patch(f"/v1/schedules/{schedule_id}", Schedule, body)

    async def remove(self, schedule_id: Id) -> None:
        """Remove a schedule; what it made so far stays."""
        await self._delete(f"/v1/schedules/{schedule_id}", None)

    async def preview(self, schedule_id: Id, *, count: int | None = None) -> Preview:
        """When a schedule is due, ten times unless said otherwise."""
        path, query = f"/v1/schedules/{schedule_id}/preview", stated(count=count)
        return await self._transport.call(Request(method="GET", path=path, query=query), Preview)

    def occurrences(self, schedule_id: Id, *, state: str | None = None) -> Listing[ScheduleOccurrence]:
        """What became of its due times, the last first."""
        return self._list(f"/v1/schedules/{schedule_id}/occurrences", ScheduleOccurrence, state=state)

    async def pause(self, schedule_id: Id) -> Schedule:
        """Let nothing of a schedule be due."""
        return cast("Schedule", await self._post(f"/v1/schedules/{schedule_id}/pause", Schedule))

    async def resume(self, schedule_id: Id) -> Schedule:
        """Let a schedule go on with what is due from now on."""
        return cast("Schedule", await self._post(f"/v1/schedules/{schedule_id}/resume", Schedule))
