"""Queries of scores: the evidence that they are made of, account by account, and their rows."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

_EVIDENCE = "services.health.evidence_queries"
_STORE = "services.health.score_store"
_NEW = (None, 2)

SCORE_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="accounts.standings",
        source=f"{_EVIDENCE}:STANDINGS",
        arguments=("account_ids", ["basic", "publish"], ["insights"]),
        index="publications_due",
        also=("publications_ended_badly", "health_history_page", "accounts_pkey", "incidents_end"),
    ),
    CataloguedQuery(
        name="publications.histories",
        source=f"{_EVIDENCE}:HISTORIES",
        arguments=("account_ids", 14, 100),
        index="publications_published",
        also=("publications_ended_badly", "publication_attempts_refused", "incidents_recent"),
    ),
    CataloguedQuery(
        name="analytics_snapshots.trends",
        source=f"{_EVIDENCE}:TRENDS",
        arguments=("account_ids", 28, 14, 56),
        index="analytics_snapshots_daily",
        also=("analytics_snapshots_publication", "publications_published"),
    ),
    CataloguedQuery(
        name="accounts.lock_judged",
        source=f"{_STORE}:_LOCK_ACCOUNTS",
        arguments=("account_ids",),
        index="accounts_pkey",
    ),
    CataloguedQuery(
        name="health_scores.lock",
        source=f"{_STORE}:_LOCK_SCORES",
        arguments=("account_ids",),
        index="health_scores_pkey",
    ),
    CataloguedQuery(
        name="health_scores.renew",
        source=f"{_STORE}:_UPDATE",
        arguments=_NEW,
        index="health_scores_pkey",
    ),
    CataloguedQuery(
        name="health_scores.begin",
        source=f"{_STORE}:_INSERT",
        arguments=_NEW,
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="health_scores.forget",
        source=f"{_STORE}:_FORGET",
        arguments=("account_ids",),
        index="accounts_pkey",
        also=("health_scores_pkey",),
    ),
    CataloguedQuery(
        name="health_scores.risen",
        source="services.health.settle_rises:_RISEN",
        arguments=(900.0, 500),
        index="health_scores_rising",
        ordered=True,
    ),
)
