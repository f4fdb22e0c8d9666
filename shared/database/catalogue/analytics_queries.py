"""Queries of numbers over time, and of when they are collected."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_API = "services.api.analytics.store"
_DUE = "services.health.due_numbers"
_SNAPSHOTS = "services.health.snapshots"

_OWN = ("user_id", "account_id")
_PUBLISHABLE = ["NEW", "WARMING_UP", "ACTIVE"]
_DAY_S = 86_400

ANALYTICS_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="health_checks.take_for_analytics",
        source="services.scheduler.plan_analytics:_TAKE",
        arguments=(100, _PUBLISHABLE),
        index="health_checks_analytics",
    ),
    CataloguedQuery(
        name="accounts.subject_of_analytics",
        source=f"{_DUE}:_SUBJECT",
        arguments=(*_OWN, _PUBLISHABLE, ["scope"], [2, 3, 4]),
        index="analytics_snapshots_daily",
        also=("accounts_user_id_id_key", "account_tokens_pkey", "health_checks_pkey"),
    ),
    CataloguedQuery(
        name="publications.due_for_analytics",
        source=f"{_DUE}:_DUE_MEDIA",
        arguments=(*_OWN, [_DAY_S, 2 * _DAY_S], [_DAY_S // 4], 84 * _DAY_S, _DAY_S, 25),
        index="analytics_snapshots_publication",
    ),
    CataloguedQuery(
        name="analytics_snapshots.store",
        source=f"{_SNAPSHOTS}:_STORE",
        arguments=(*_OWN, "row_id", None, "text", None, None, None, None),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="health_checks.plan_analytics",
        source=f"{_SNAPSHOTS}:_FINISH",
        arguments=(*_OWN, [_DAY_S, 2 * _DAY_S], [_DAY_S // 4], 56 * _DAY_S),
        index="health_checks_pkey",
    ),
    CataloguedQuery(
        name="health_checks.postpone_analytics",
        source=f"{_SNAPSHOTS}:_POSTPONE",
        arguments=(*_OWN, 60.0),
        index="health_checks_pkey",
    ),
    CataloguedQuery(
        name="health_checks.refuse_insights",
        source=f"{_SNAPSHOTS}:_REFUSE_INSIGHTS",
        arguments=(*_OWN, "time"),
        index="health_checks_pkey",
        also=("account_tokens_pkey",),
    ),
    *pages(
        CataloguedPage(
            name="analytics_snapshots.page",
            source=f"{_API}:list_query",
            arguments=(*_OWN, 51),
            filters=("account_id",),
            place=Place.FIRST,
            column="captured_at",
            index="analytics_snapshots_page",
            also=("analytics_snapshots_daily", "analytics_snapshots_publication"),
            ordered=True,
        )
    ),
    CataloguedPage(
        name="analytics_snapshots.page_by_publication",
        source=f"{_API}:list_query",
        arguments=(*_OWN, "publication_id", 51),
        filters=("account_id", "publication_id"),
        place=Place.FIRST,
        column="captured_at",
        index="analytics_snapshots_publication",
    ),
    CataloguedQuery(
        name="analytics_snapshots.of_publication",
        source=f"{_API}:_OF_PUBLICATION",
        arguments=("user_id", "publication_id", 100),
        index="analytics_snapshots_publication",
        ordered=True,
    ),
    *pages(
        CataloguedPage(
            name="health_history.page",
            source="services.api.health.history_store:list_query",
            arguments=(*_OWN, 51),
            filters=("account_id",),
            place=Place.FIRST,
            column="computed_at",
            index="health_history_page",
            ordered=True,
        )
    ),
)
