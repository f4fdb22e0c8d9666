"""The jobs of all users, for keys with the scope `operator`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import Cleanup, DeadJob, DeadJobInFull, Discarded, Queues, RecurringJob, Redriven, Stats
from instadistro_client.unset import stated


class Jobs(Resource):
    """`/v1/jobs`. Of many dead jobs those are meant that all of what is given is true of."""

    async def stats(self) -> Stats:
        """What was done with each type of job, what is due, what died."""
        return await self._get("/v1/jobs/stats", Stats)

    async def queues(self) -> Queues:
        """How many messages wait in each of the broker's queues."""
        return await self._get("/v1/jobs/queues", Queues)

    def recurring(self, *, type_: str | None = None) -> Listing[RecurringJob]:
        """The recurring jobs, the next to come first."""
        return self._list("/v1/jobs/recurring", RecurringJob, type=type_)

    def dead(
        self,
        *,
        type_: str | None = None,
        reason: str | None = None,
        subject: str | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
    ) -> Listing[DeadJob]:
        """The dead jobs, the latest death first; `begin` and `end` bound `died_at`, the end excluded."""
        return self._list("/v1/jobs/dead", DeadJob, **_which(type_, reason, subject, begin, end))

    async def get_dead(self, job_id: Id) -> DeadJobInFull:
        """One dead job: every run, headers, payload."""
        return await self._get(f"/v1/jobs/dead/{job_id}", DeadJobInFull)

    async def redrive(self, job_id: Id) -> Redriven:
        """Send a dead job back, with all its attempts before it."""
        return cast("Redriven", await self._post(f"/v1/jobs/dead/{job_id}/redrive", Redriven))

    async def discard(self, job_id: Id) -> None:
        """Let a dead job go for good."""
        await self._delete(f"/v1/jobs/dead/{job_id}", None)

    async def clean_up(self, *, dry_run: bool = False) -> Cleanup:
        """Let go what is older than it is kept, or only count it."""
        return cast("Cleanup", await self._post("/v1/jobs/cleanup", Cleanup, query={"dry_run": dry_run}))

    async def redrive_many(
        self,
        *,
        type_: str | None = None,
        reason: str | None = None,
        subject: str | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
        everything: bool = False,
        limit: int | None = None,
        rate_per_s: float | None = None,
        dry_run: bool = False,
    ) -> Redriven:
        """Send dead jobs back, the oldest first; without a filter only with `everything`."""
        body = stated(**_which(type_, reason, subject, begin, end), limit=limit, rate_per_s=rate_per_s)
        body |= {"all": everything, "dry_run": dry_run}
        return cast("Redriven", await self._post("/v1/jobs/dead/redrive", Redriven, body=body))

    async def discard_many(
        self,
        *,
        type_: str | None = None,
        reason: str | None = None,
        subject: str | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
        everything: bool = False,
        limit: int | None = None,
    ) -> Discarded:
        """Let dead jobs go for good, the oldest first; without a filter only with `everything`."""
        query = {**_which(type_, reason, subject, begin, end), "all": everything, "limit": limit}
        return cast("Discarded", await self._delete("/v1/jobs/dead", Discarded, query=query))


def _which(
    type_: str | None, reason: str | None, subject: str | None, begin: datetime | None, end: datetime | None
) -> dict[str, Any]:
    return {"type": type_, "reason": reason, "subject": subject, "from": begin, "to": end}
