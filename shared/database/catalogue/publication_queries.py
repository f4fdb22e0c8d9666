"""Queries of publications that people ask: the largest table, and the one that is written most."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_STORE = "services.api.publications.store"
_CAPACITY = "shared.publications.capacity"
_CREATE = "shared.publications.create"

_OWN = ("user_id", "publication_id")
_LIVE = ["scheduled", "publishing", "published", "held", "outcome_unknown"]


def _page(
    name: str,
    index: str,
    *filters: str,
    arguments: tuple[str, ...] = (),
    ordered: bool = False,
    column: str = "created_at",
    direction: str = "DESC",
) -> CataloguedPage:
    return CataloguedPage(
        name=f"publications.{name}",
        source=f"{_STORE}:list_query",
        arguments=("user_id", *arguments, 51),
        filters=filters,
        place=Place.FIRST,
        index=index,
        ordered=ordered,
        column=column,
        direction=direction,
    )


PUBLICATION_QUERIES: tuple[CataloguedQuery, ...] = (
    # For people
    *pages(_page("page", "publications_page", ordered=True)),
    *pages(
        _page(
            "page_by_state",
            "publications_state_page",
            "state",
            arguments=("publication_state",),
            ordered=True,
        )
    ),
    *pages(
        _page(
            "page_by_account",
            "publications_account_page",
            "account_id",
            arguments=("account_id",),
            ordered=True,
        )
    ),
    *pages(_page("page_by_post", "publications_post_page", "post_id", arguments=("post_id",), ordered=True)),
    *pages(
        _page(
            "page_by_distribution",
            "publications_distribution_page",
            "distribution_id",
            arguments=("distribution_id",),
            ordered=True,
        )
    ),
    *pages(_page("page_by_time", "publications_calendar", "begin", "end", arguments=("day_begin", "day_end"))),
    *pages(_page("page_oldest", "publications_page", ordered=True, direction="ASC")),
    *pages(_page("page_first_due", "publications_calendar", column="publish_at", direction="ASC")),
    *pages(_page("page_last_due", "publications_calendar", column="publish_at")),
    *pages(_page("page_of_group", "group_members_pkey", "group_id", arguments=("group_id",))),
    *pages(_page("page_of_limited_key", "publications_account_page", "allowed", arguments=("account_ids",))),
    CataloguedQuery(
        name="publications.reschedule",
        source="shared.publications.reschedule:_RESCHEDULE",
        arguments=(*_OWN, "time", None, 3, 1, 60.0),
        index="publications_user_id_id_key",
    ),
    CataloguedQuery(
        name="publications.waiting_near",
        source=f"{_CAPACITY}:_WAITING",
        arguments=("user_id", "account_ids", "day_begin", "day_end"),
        index="publications_account_page",
    ),
    CataloguedQuery(
        name="publications.published_near",
        source=f"{_CAPACITY}:_PUBLISHED",
        arguments=("user_id", "account_ids", "time"),
        index="publications_published",
    ),
    CataloguedQuery(
        name="accounts.limits",
        source=f"{_CAPACITY}:_LIMITS",
        arguments=("user_id", "account_ids"),
        index="accounts_user_id_id_key",
        whole="A handful of protocols, reference data.",
    ),
    CataloguedQuery(
        name="users.lock_plans", source=f"{_CAPACITY}:_LOCK_PLANS", arguments=("user_id",), index="users_pkey"
    ),
    CataloguedQuery(
        name="publications.find", source=f"{_STORE}:_FIND", arguments=_OWN, index="publications_user_id_id_key"
    ),
    CataloguedQuery(
        name="publications.lock", source=f"{_STORE}:_LOCK", arguments=_OWN, index="publications_user_id_id_key"
    ),
    CataloguedQuery(
        name="publications.wish_now",
        source=f"{_STORE}:_WISH_NOW",
        arguments=(*_OWN, 1),
        index="publications_user_id_id_key",
    ),
    CataloguedQuery(
        name="publication_attempts.newest",
        source=f"{_STORE}:_ATTEMPTS",
        arguments=(*_OWN, 101),
        index="publication_attempts_pkey",
        ordered=True,
    ),
    CataloguedQuery(
        name="publications.duplicates",
        source=f"{_CREATE}:_DUPLICATES",
        arguments=("account_ids", "new_post_id", "user_id", _LIVE),
        index="publications_post_page",
    ),
)
