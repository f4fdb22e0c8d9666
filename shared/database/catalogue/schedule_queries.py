"""Queries of schedules, their occurrences and post queues."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

SCHEDULE_QUERIES: tuple[CataloguedQuery, ...] = ()
