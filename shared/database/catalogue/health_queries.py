"""Queries of checks, scores, their history, and numbers over time."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

HEALTH_QUERIES: tuple[CataloguedQuery, ...] = ()
