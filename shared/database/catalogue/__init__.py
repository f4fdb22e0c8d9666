"""The index catalogue: every query of the code with the index that serves it, and every index with its reason.

Two tests hold it to the truth: each query is explained on a populated database and must use its index, and each index
of the database must be here. Statements that the test suite sees and that are not here fail it. See docs/database.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.database.catalogue.account_queries import ACCOUNT_QUERIES
from shared.database.catalogue.alert_queries import ALERT_QUERIES
from shared.database.catalogue.analytics_queries import ANALYTICS_QUERIES
from shared.database.catalogue.archive_queries import ARCHIVE_QUERIES
from shared.database.catalogue.caution_queries import CAUTION_QUERIES
from shared.database.catalogue.content_queries import CONTENT_QUERIES
from shared.database.catalogue.event_queries import EVENT_QUERIES
from shared.database.catalogue.gateway_queries import GATEWAY_QUERIES
from shared.database.catalogue.health_queries import HEALTH_QUERIES
from shared.database.catalogue.indexes import INDEXES
from shared.database.catalogue.inserts import INSERTS
from shared.database.catalogue.job_queries import JOB_QUERIES
from shared.database.catalogue.media_queries import MEDIA_QUERIES
from shared.database.catalogue.operations_queries import OPERATIONS_QUERIES
from shared.database.catalogue.publication_queries import PUBLICATION_QUERIES
from shared.database.catalogue.publishing_queries import PUBLISHING_QUERIES
from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Index, Kind, Place, resolve
from shared.database.catalogue.samples import SAMPLES
from shared.database.catalogue.schedule_queries import SCHEDULE_QUERIES
from shared.database.catalogue.score_queries import SCORE_QUERIES
from shared.database.catalogue.token_queries import TOKEN_QUERIES
from shared.database.catalogue.upkeep_queries import UPKEEP_QUERIES

#: Every query that has an index question: all but those of `INSERTS`.
CATALOGUE: tuple[CataloguedQuery, ...] = (
    *ACCOUNT_QUERIES,
    *GATEWAY_QUERIES,
    *EVENT_QUERIES,
    *TOKEN_QUERIES,
    *CONTENT_QUERIES,
    *MEDIA_QUERIES,
    *PUBLICATION_QUERIES,
    *PUBLISHING_QUERIES,
    *JOB_QUERIES,
    *SCHEDULE_QUERIES,
    *HEALTH_QUERIES,
    *SCORE_QUERIES,
    *CAUTION_QUERIES,
    *ANALYTICS_QUERIES,
    *ALERT_QUERIES,
    *ARCHIVE_QUERIES,
    *OPERATIONS_QUERIES,
    *UPKEEP_QUERIES,
)


def known_statements() -> Iterator[str]:
    """Every text the catalogue speaks for, the inserts included."""
    for query in CATALOGUE:
        yield from query.statements()
    for source in INSERTS:
        yield resolve(source)


__all__ = [
    "CATALOGUE",
    "INDEXES",
    "INSERTS",
    "SAMPLES",
    "CataloguedPage",
    "CataloguedQuery",
    "Index",
    "Kind",
    "Place",
    "known_statements",
]
