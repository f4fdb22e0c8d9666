"""Queries of finished publications: moving them out of the way, and finding them again."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

ARCHIVE_QUERIES: tuple[CataloguedQuery, ...] = ()
