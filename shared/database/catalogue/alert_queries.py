"""Queries of alerts and incidents, and of all accounts seen together."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_LIVE = "shared.alerts.live"
_PERSON = "shared.alerts.by_person"
_LISTED = "services.api.alerts.store"
_INCIDENTS = "services.health.watch_incidents"
_EVIDENCE = "services.health.incident_evidence"
_SWARM = "shared.accounts.swarm"
_SWEEP = "services.scheduler.monitor_swarms"
_PUBLISHABLE = ["NEW", "WARMING_UP", "ACTIVE"]
_CLASSES = ["reauth", "restricted"]
_ONE = ("user_id", "alert_id")


def _page(name: str, *, index: str, arguments: tuple[object, ...], filters: tuple[str, ...]) -> CataloguedPage:
    return CataloguedPage(
        name=name,
        source=f"{_LISTED}:list_query",
        arguments=arguments,
        filters=filters,
        place=Place.FIRST,
        index=index,
        ordered=True,
        column="opened_at",
    )


ALERT_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="alerts.raise",
        source=f"{_LIVE}:_RAISE",
        arguments=(
            "alert_subjects",
            "account_ids",
            ["text"],
            ["warning"],
            [0],
            ["account"],
            "alert_subjects",
            ["text"],
            ["text"],
            ["{}"],
        ),
        index="alerts_live",
    ),
    CataloguedQuery(
        name="alerts.resolve",
        source=f"{_LIVE}:_RESOLVE",
        arguments=("account_ids", "alert_code", "alert_subjects"),
        index="alerts_live",
    ),
    CataloguedQuery(
        name="alerts.resolve_others",
        source=f"{_LIVE}:_RESOLVE_OTHERS",
        arguments=("user_id", ["reauth_required"], ["reauth_required"], "alert_subjects"),
        index="alerts_live",
    ),
    CataloguedQuery(
        name="alerts.acknowledge", source=f"{_PERSON}:_ACKNOWLEDGE", arguments=(*_ONE, "text"), index="alerts_pkey"
    ),
    CataloguedQuery(
        name="alerts.resolve_one", source=f"{_PERSON}:_RESOLVE_ONE", arguments=(*_ONE, "text"), index="alerts_pkey"
    ),
    CataloguedQuery(name="alerts.find", source=f"{_LISTED}:_FIND", arguments=_ONE, index="alerts_pkey"),
    CataloguedQuery(name="alerts.lock", source=f"{_LISTED}:_LOCK", arguments=_ONE, index="alerts_pkey"),
    *pages(_page("alerts.page", index="alerts_page", arguments=("user_id", 51), filters=())),
    *pages(
        CataloguedPage(
            name="alerts.oldest_page",
            source=f"{_LISTED}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="alerts_page",
            ordered=True,
            column="opened_at",
            direction="ASC",
        )
    ),
    _page(
        "alerts.page_of_state", index="alerts_state_page", arguments=("user_id", "alert_state", 51), filters=("state",)
    ),
    _page("alerts.page_of_code", index="alerts_code_page", arguments=("user_id", "alert_code", 51), filters=("code",)),
    CataloguedPage(
        name="alerts.page_of_subject",
        source=f"{_LISTED}:list_query",
        arguments=("user_id", "account_id", 51),
        filters=("subject_id",),
        place=Place.FIRST,
        index="alerts_subject_page",
        column="opened_at",
    ),
    CataloguedQuery(
        name="alerts.count_live", source="services.health.observe_alerts:_LIVE", arguments=(), index="alerts_live"
    ),
    # All accounts seen together
    CataloguedQuery(
        name="health_scores.swarm",
        source=f"{_SWARM}:_SEEN",
        arguments=("user_id", _PUBLISHABLE, ["NEEDS_REAUTH"]),
        index="health_scores_worst",
    ),
    CataloguedQuery(
        name="health_scores.worst",
        source=f"{_SWARM}:_WORST",
        arguments=("user_id",),
        index="health_scores_worst",
        ordered=True,
    ),
    CataloguedQuery(
        name="accounts.alarming",
        source="services.health.monitor_swarm:_FIND",
        arguments=("user_id",),
        index="accounts_token_expiry",
        also=("accounts_state_page", "publications_state_page", "alerts_live", "incidents_end"),
    ),
    CataloguedQuery(
        name="users.take_due_monitoring",
        source=f"{_SWEEP}:_TAKE_DUE",
        arguments=(500,),
        whole="There are few users, each looked at once in 15 minutes.",
    ),
    CataloguedQuery(
        name="events.alarming",
        source=f"{_SWEEP}:_HAPPENED",
        arguments=(15.0, ["account.connected"], ["publication.published"]),
        index="events_pkey",
    ),
    # Incidents
    CataloguedQuery(name="incidents.show", source=f"{_SWARM}:_INCIDENTS", arguments=(), index="incidents_open"),
    CataloguedQuery(name="incidents.open", source=f"{_INCIDENTS}:_OPEN", arguments=(), index="incidents_open"),
    CataloguedQuery(
        name="incidents.pause",
        source=f"{_INCIDENTS}:_PAUSE",
        arguments=("row_id", 1, 3, 0.5, "account_ids", 300.0),
        index="incidents_open",
    ),
    CataloguedQuery(
        name="incidents.close", source=f"{_INCIDENTS}:_CLOSE", arguments=("row_id", 1), index="incidents_open"
    ),
    CataloguedQuery(
        name="publication_attempts.failed",
        source=f"{_EVIDENCE}:_FAILED",
        arguments=(900, 3, _CLASSES, ["spam_suspected"]),
        index="publication_attempts_started",
        also=("publications_pkey",),
    ),
    CataloguedQuery(
        name="publication_attempts.tried",
        source=f"{_EVIDENCE}:_TRIED",
        arguments=(900, None),
        index="publication_attempts_started",
    ),
    CataloguedQuery(
        name="health_checks.refused",
        source=f"{_EVIDENCE}:_REFUSED",
        arguments=(900, 3),
        index="health_checks_refused",
    ),
    CataloguedQuery(
        name="health_checks.looked",
        source=f"{_EVIDENCE}:_LOOKED",
        arguments=(900, None),
        index="health_checks_answered",
    ),
    CataloguedQuery(
        name="health_checks.ask_again",
        source=f"{_INCIDENTS}:_ASK_AGAIN",
        arguments=("account_ids", "time"),
        index="health_checks_refused",
        also=("accounts_state_page", "health_checks_pkey"),
    ),
)
