"""Queries of tenants and accounts."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_ACCOUNTS = "services.api.accounts.store"
_IMPORTS = "shared.accounts.imports.store"
_HEALTH = "services.api.health.store"
_OAUTH = "services.api.oauth.store"
_TARGETS = "services.api.publications.choose_targets"

_OWN = ("user_id", "account_id")
_PUBLISHABLE = ["NEW", "WARMING_UP", "ACTIVE"]

ACCOUNT_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="api_keys.find",
        source="services.api.http.key_records:_FIND",
        arguments=("api_key_id",),
        index="api_keys_key_id_key",
        also=("users_pkey",),
    ),
    CataloguedQuery(name="users.lock", source=f"{_IMPORTS}:_LOCK_USER", arguments=("user_id",), index="users_pkey"),
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
    *pages(
        CataloguedPage(
            name="accounts.page_oldest",
            source=f"{_ACCOUNTS}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            direction="ASC",
            index="accounts_page",
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="accounts.page_by_protocol",
            source=f"{_ACCOUNTS}:list_query",
            arguments=("user_id", "protocol_id", 51),
            filters=("protocol_id",),
            place=Place.FIRST,
            index="accounts_protocol_page",
            ordered=True,
        )
    ),
    CataloguedPage(
        name="accounts.page_by_username",
        source=f"{_ACCOUNTS}:list_query",
        arguments=("user_id", "username", 51),
        filters=("username",),
        place=Place.FIRST,
        index="accounts_username",
    ),
    CataloguedPage(
        name="accounts.page_by_group",
        source=f"{_ACCOUNTS}:list_query",
        arguments=("user_id", "group_id", 51),
        filters=("group_id",),
        place=Place.FIRST,
        index="group_members_pkey",
    ),
    CataloguedPage(
        name="accounts.page_by_proxy",
        source=f"{_ACCOUNTS}:list_query",
        arguments=("user_id", "proxy_id", 51),
        filters=("proxy_id",),
        place=Place.FIRST,
        index="accounts_proxy",
    ),
    CataloguedPage(
        name="accounts.page_of_limited_key",
        source=f"{_ACCOUNTS}:list_query",
        arguments=("user_id", "account_ids", 51),
        filters=("allowed",),
        place=Place.FIRST,
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.lock_whole",
        source=f"{_ACCOUNTS}:_LOCK_WHOLE",
        arguments=_OWN,
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.standing",
        source=f"{_ACCOUNTS}:_STANDING",
        arguments=_OWN,
        index="accounts_user_id_id_key",
        whole="a handful of protocols, however many accounts there are",
    ),
    CataloguedQuery(
        name="accounts.access",
        source=f"{_ACCOUNTS}:_ACCESS",
        arguments=_OWN,
        index="accounts_user_id_id_key",
        also=("account_tokens_pkey",),
    ),
    CataloguedQuery(
        name="accounts.remove",
        source=f"{_ACCOUNTS}:_REMOVE",
        arguments=_OWN,
        index="accounts_user_id_id_key",
        also=("account_tokens_pkey", "group_members_account", "health_checks_pkey", "health_scores_pkey"),
    ),
    CataloguedQuery(
        name="accounts.detach",
        source=f"{_ACCOUNTS}:_DETACH",
        arguments=(*_OWN, True, True),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.note_profile",
        source=f"{_ACCOUNTS}:_NOTE_PROFILE",
        arguments=(*_OWN, "text", 100),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="publications.dependents_of_account",
        source=f"{_ACCOUNTS}:_DEPENDENTS",
        arguments=_OWN,
        index="publications_account_page",
    ),
    CataloguedQuery(
        name="publications.published_in_a_day",
        source=f"{_ACCOUNTS}:_PUBLISHED",
        arguments=_OWN,
        index="publications_published",
    ),
    CataloguedQuery(
        name="oauth_states.take",
        source=f"{_OAUTH}:_TAKE",
        arguments=("oauth_state_hash",),
        index="oauth_states_pkey",
    ),
    CataloguedQuery(
        name="proxies.of_connection",
        source=f"{_OAUTH}:_EGRESS",
        arguments=("user_id", "proxy_id"),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="account_tokens.set_scopes",
        source=f"{_OAUTH}:_SET_SCOPES",
        arguments=(*_OWN, []),
        index="account_tokens_pkey",
    ),
    CataloguedQuery(
        name="warmup_protocols.of_connection",
        source=f"{_OAUTH}:_PROTOCOL",
        arguments=("protocol_id",),
        whole="A handful of protocols, reference data.",
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
        source=f"{_IMPORTS}:_KNOWN",
        arguments=("user_id", "instagram_user_ids"),
        index="accounts_user_id_instagram_user_id_key",
        also=("account_tokens_pkey",),
    ),
    CataloguedQuery(
        name="accounts.update",
        source=f"{_IMPORTS}:_UPDATE",
        arguments=("user_id", "account_ids", [], [], [], [], []),
        index="accounts_pkey",
    ),
    CataloguedQuery(
        name="proxies.existing",
        source=f"{_IMPORTS}:_PROXIES",
        arguments=("user_id", "proxy_ids"),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="warmup_protocols.existing",
        source=f"{_IMPORTS}:_PROTOCOLS",
        arguments=(["cautious"],),
        whole="a handful of rows, however many accounts there are",
    ),
    CataloguedQuery(
        name="accounts.targets",
        source="shared.publications.targets:_ACCOUNTS",
        arguments=("user_id", "account_ids"),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.hold",
        source=f"{_TARGETS}:_HOLD_ACCOUNTS",
        arguments=("user_id", "account_ids"),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.lock_state",
        source="shared.accounts.transition:_LOCK",
        arguments=("user_id", "account_ids", _PUBLISHABLE, "text"),
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
        arguments=("user_id", "account_ids", "account_state", None),
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
        name="accounts.gates",
        source="shared.publications.gates:_GATES",
        arguments=("user_id", "account_ids"),
        index="accounts_user_id_id_key",
    ),
)
