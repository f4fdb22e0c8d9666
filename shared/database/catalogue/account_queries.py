"""Queries of tenants and accounts."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_ACCOUNTS = "services.api.accounts.store"
_HEALTH = "services.api.health.store"
_TARGETS = "services.api.publications.choose_targets"
_EVIDENCE = "services.health.evidence"
_EGRESS = "services.health.check_egress"

_OWN = ("user_id", "account_id")
_PUBLISHABLE = ["NEW", "WARMING_UP", "ACTIVE"]

ACCOUNT_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="api_keys.find",
        source="services.api.http.auth:_FIND",
        arguments=("api_key_id",),
        index="api_keys_key_id_key",
        also=("users_pkey",),
    ),
    CataloguedQuery(name="users.lock", source=f"{_ACCOUNTS}:_LOCK_USER", arguments=("user_id",), index="users_pkey"),
    # Accounts
    *pages(
        CataloguedPage(
            name="accounts.page",
            source=f"{_ACCOUNTS}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="accounts_page",
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="accounts.page_by_state",
            source=f"{_ACCOUNTS}:list_query",
            arguments=("user_id", "account_state", 51),
            filters=("state",),
            place=Place.FIRST,
            index="accounts_state_page",
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="accounts.page_by_tag",
            source=f"{_ACCOUNTS}:list_query",
            arguments=("user_id", "tag", 51),
            filters=("tag",),
            place=Place.FIRST,
            index="accounts_tags",
        )
    ),
    CataloguedQuery(name="accounts.find", source=f"{_ACCOUNTS}:_FIND", arguments=_OWN, index="accounts_user_id_id_key"),
    CataloguedQuery(name="accounts.lock", source=f"{_ACCOUNTS}:_LOCK", arguments=_OWN, index="accounts_user_id_id_key"),
    CataloguedQuery(
        name="accounts.existing",
        source=f"{_ACCOUNTS}:_EXISTING",
        arguments=("user_id", "account_ids"),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.exists", source=f"{_HEALTH}:_ACCOUNT", arguments=_OWN, index="accounts_user_id_id_key"
    ),
    CataloguedQuery(
        name="accounts.known",
        source=f"{_ACCOUNTS}:_KNOWN",
        arguments=("user_id", "instagram_user_ids"),
        index="accounts_user_id_instagram_user_id_key",
        also=("account_tokens_pkey",),
    ),
    CataloguedQuery(
        name="accounts.update",
        source=f"{_ACCOUNTS}:_UPDATE",
        arguments=("user_id", "account_ids", [], [], [], []),
        index="accounts_pkey",
    ),
    CataloguedQuery(
        name="accounts.targets",
        source=f"{_TARGETS}:_ACCOUNTS",
        arguments=("user_id", "account_ids"),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.lock_state",
        source="shared.accounts.transition:_LOCK",
        arguments=("user_id", "account_id", _PUBLISHABLE, "text"),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.lock_for_result",
        source="services.publisher.account:_LOCK",
        arguments=_OWN,
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.set_state",
        source="shared.accounts.transition:_UPDATE",
        arguments=("user_id", "account_id", "account_state", None),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.lock_gates",
        source="shared.publications.release:_LOCK_ACCOUNT",
        arguments=_OWN,
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.begin_day",
        source="shared.accounts.warmup:_WRITE_DAY",
        arguments=(*_OWN, 1),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.quota_used_up",
        source="services.publisher.quota:_USED_UP",
        arguments=(*_OWN, 1800.0, 100),
        index="accounts_user_id_id_key",
        also=("publications_published",),
    ),
    CataloguedQuery(
        name="proxies.state",
        source="shared.publications.gates:_EGRESS",
        arguments=("user_id", "proxy_id"),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.examine",
        source=f"{_EVIDENCE}:_ACCOUNT",
        arguments=_OWN,
        index="accounts_user_id_id_key",
        also=("account_tokens_pkey",),
    ),
)
