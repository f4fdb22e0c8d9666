"""Queries of alerts and incidents, and of all accounts seen together."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

ALERT_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="alerts.resolve",
        source="shared.alerts.live:_RESOLVE",
        arguments=("user_id", "alert_code", "alert_subjects", None),
        index="alerts_live",
    ),
)
