"""Queries of cleaning up: what is let go for its age, and what is archived and found there again."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_STORE = "services.api.publications.archive"
_POLICIES = "shared.cleanup.policies"
_COUNTED_TO = 100_001
_FEW = "There are few rows: those of jobs whose workers died."


def _by_age(policy: str, index: str, *, days: int, whole: str = "") -> tuple[CataloguedQuery, ...]:
    """A policy of cleaning up: counting what is old, and deleting it."""
    table = policy.lower()
    count = CataloguedQuery(
        name=f"{table}.count_old",
        source=f"{_POLICIES}:{policy}.count",
        arguments=(days, _COUNTED_TO),
        index=index,
        whole=whole,
    )
    prune = CataloguedQuery(
        name=f"{table}.prune",
        source=f"{_POLICIES}:{policy}.let_go",
        arguments=(days, 10),
        index=index,
        whole=whole,
        ordered=not whole,
    )
    return (count, prune)


def _page(name: str, index: str, *filters: str, direction: str = "DESC") -> CataloguedPage:
    return CataloguedPage(
        name=f"publications_archive.{name}",
        source=f"{_STORE}:list_query",
        arguments=("user_id", *filters, 51),
        filters=filters,
        place=Place.FIRST,
        index=index,
        ordered=True,
        direction=direction,
    )


ARCHIVE_QUERIES: tuple[CataloguedQuery, ...] = (
    # What is let go
    *_by_age("DEAD_JOBS", "dead_jobs_page", days=30),
    *_by_age("JOB_STARTS", "", days=1, whole=_FEW),
    *_by_age("IDEMPOTENCY_KEYS", "idempotency_keys_age", days=1),
    *_by_age("OPERATIONS", "operations_age", days=30),
    *_by_age("AUDIT_LOG", "audit_log_age", days=365),
    *_by_age("WEBHOOK_DELIVERIES", "webhook_deliveries_age", days=30),
    *_by_age("OAUTH_STATES", "oauth_states_expiry", days=0),
    *_by_age("SCHEDULE_OCCURRENCES", "schedule_occurrences_age", days=400),
    *_by_age("HEALTH_HISTORY", "health_history_age", days=180),
    *_by_age("ANALYTICS_SNAPSHOTS", "analytics_snapshots_age", days=400),
    *_by_age("ALERTS", "alerts_resolved", days=90),
    *_by_age("INCIDENTS", "", days=90, whole="There are few rows: the app's own trouble is rare."),
    CataloguedQuery(
        name="events.count_old",
        source=f"{_POLICIES}:COUNT_EVENTS",
        arguments=(7, _COUNTED_TO),
        whole="Days that are to be dropped, and counting ends.",
    ),
    CataloguedQuery(
        name="publications_archive.count_old",
        source=f"{_POLICIES}:COUNT_ARCHIVED",
        arguments=(730, _COUNTED_TO),
        whole="Months that are to be dropped, and counting ends.",
    ),
    # The archive
    CataloguedQuery(
        name="publications.count_ended",
        source="shared.cleanup.archive_publications:COUNT_ENDED",
        arguments=(90, _COUNTED_TO),
        index="publications_ended",
    ),
    CataloguedQuery(
        name="publications.archive",
        source="shared.cleanup.archive_publications:ARCHIVE",
        arguments=(90, 10),
        index="publications_ended",
        also=("publications_pkey", "posts_pkey", "distributions_pkey", "publication_attempts_pkey"),
    ),
    *pages(_page("page", "publications_archive_page")),
    *pages(_page("page_oldest", "publications_archive_page", direction="ASC")),
    *pages(_page("page_by_account", "publications_archive_account_page", "account_id")),
    *pages(_page("page_by_post", "publications_archive_post_page", "post_id")),
    *pages(_page("page_by_distribution", "publications_archive_distribution_page", "distribution_id")),
    CataloguedQuery(
        name="publications_archive.find",
        source=f"{_STORE}:_FIND",
        arguments=("user_id", "publication_id"),
        index="publications_archive_pkey",
    ),
    CataloguedQuery(
        name="publications_archive.attempts",
        source=f"{_STORE}:_ATTEMPTS",
        arguments=("user_id", "publication_id"),
        index="publications_archive_pkey",
    ),
    CataloguedQuery(
        name="posts.is_archived",
        source="shared.publications.create:_IS_ARCHIVED",
        arguments=("user_id", "post_id"),
        index="posts_user_id_id_key",
    ),
    CataloguedQuery(
        name="publications_archive.duplicates",
        source="shared.publications.create:_ARCHIVED_DUPLICATES",
        arguments=("account_ids", "new_post_id", "user_id"),
        index="publications_archive_post_page",
    ),
)
