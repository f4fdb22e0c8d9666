"""Queries of checks, scores, their history, and numbers over time."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.database.catalogue.query import CataloguedQuery

_CHECKS = "services.health.checks"
_FOLLOW = "services.health.follow_answer"
_TIME = datetime(2000, 1, 1, tzinfo=UTC)

HEALTH_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="health_checks.take_due",
        source=f"{_CHECKS}:_TAKE_DUE",
        arguments=(120.0, 128),
        index="health_checks_due",
        also=("health_checks_pkey",),
        ordered=True,
    ),
    CataloguedQuery(
        name="health_checks.take_one",
        source=f"{_CHECKS}:_TAKE_ONE",
        arguments=(120.0, "account_id", "user_id"),
        index="health_checks_pkey",
    ),
    CataloguedQuery(
        name="health_checks.access",
        source=f"{_CHECKS}:_ACCESS",
        arguments=("account_ids", "account_ids"),
        index="accounts_pkey",
        also=("account_tokens_pkey", "incidents_end"),
    ),
    CataloguedQuery(
        name="health_checks.answered",
        source=f"{_CHECKS}:_ANSWERED",
        arguments=("account_ids", [_TIME], ["ok"], [1], [1], [1], [1]),
        index="health_checks_pkey",
    ),
    CataloguedQuery(
        name="health_checks.unanswered",
        source=f"{_CHECKS}:_UNANSWERED",
        arguments=("account_ids", [_TIME]),
        index="health_checks_pkey",
    ),
    CataloguedQuery(
        name="health_checks.quotas",
        source=f"{_CHECKS}:_QUOTAS",
        arguments=("account_ids", "account_ids", [100]),
        index="accounts_pkey",
    ),
    CataloguedQuery(
        name="health_checks.standings",
        source=f"{_CHECKS}:_STANDINGS",
        arguments=("account_ids", "account_ids"),
        index="health_checks_pkey",
        also=("accounts_pkey", "health_scores_pkey"),
    ),
    CataloguedQuery(
        name="health_checks.plan",
        source=f"{_CHECKS}:_PLAN",
        arguments=("account_ids", [_TIME], [True], [21600.0], [3600.0]),
        index="health_checks_pkey",
    ),
    CataloguedQuery(
        name="health_checks.backlog",
        source="services.health.observe_checks:_BACKLOG",
        arguments=(10_000,),
        index="health_checks_due",
    ),
    CataloguedQuery(
        name="accounts.lock_for_answer",
        source=f"{_FOLLOW}:_LOCK",
        arguments=("user_id", "account_id"),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.token_now",
        source=f"{_FOLLOW}:_NOW",
        arguments=("user_id", "account_id", b""),
        index="accounts_user_id_id_key",
        also=("account_tokens_pkey",),
    ),
    CataloguedQuery(name="incidents.of_tokens", source=f"{_FOLLOW}:_INCIDENT", arguments=(), index="incidents_open"),
)
