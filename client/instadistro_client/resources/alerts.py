"""Alerts: what a person should know."""

from __future__ import annotations

from typing import cast

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import Alert


class Alerts(Resource):
    """`/v1/alerts`."""

    def list(
        self,
        *,
        state: str | None = None,
        severity: str | None = None,
        code: str | None = None,
        subject_id: Id | None = None,
        sort: str | None = None,
    ) -> Listing[Alert]:
        """The alerts, newest first."""
        filters = {"state": state, "severity": severity, "code": code, "subject_id": subject_id, "sort": sort}
        return self._list("/v1/alerts", Alert, **filters)

    async def get(self, alert_id: Id) -> Alert:
        """One alert."""
        return await self._get(f"/v1/alerts/{alert_id}", Alert)

    async def acknowledge(self, alert_id: Id) -> Alert:
        """Say that somebody has seen it and is at it."""
        return cast("Alert", await self._post(f"/v1/alerts/{alert_id}/acknowledge", Alert))

    async def resolve(self, alert_id: Id) -> Alert:
        """Say that it is done with. Another is opened if what it told of is still so."""
        return cast("Alert", await self._post(f"/v1/alerts/{alert_id}/resolve", Alert))
