"""Queries of access tokens and of the proxies that accounts leave by."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_EGRESS = "shared.accounts.look_at_egress"
_PROXIES = "services.api.proxies.store"
_RENEWALS = "services.health.renewals"
_ROTATION = "deploy.cli.rotation"

_OWN = ("user_id", "account_id")
_PUBLISHABLE = ["NEW", "WARMING_UP", "ACTIVE"]

TOKEN_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="account_tokens.read",
        source="services.publisher.account:_SEALED",
        arguments=_OWN,
        index="account_tokens_pkey",
    ),
    CataloguedQuery(
        name="account_tokens.plan_refreshes",
        source="shared.accounts.imports.store:_PLAN_REFRESHES",
        arguments=("user_id", "account_ids", []),
        index="account_tokens_pkey",
    ),
    CataloguedQuery(
        name="account_tokens.take_due",
        source="services.scheduler.refresh_tokens:_TAKE",
        arguments=(500, _PUBLISHABLE, ["PAUSED", "RESTRICTED"]),
        index="account_tokens_refresh",
    ),
    CataloguedQuery(
        name="account_tokens.stored",
        source=f"{_RENEWALS}:_STORED",
        arguments=_OWN,
        index="accounts_user_id_id_key",
        also=("account_tokens_pkey",),
    ),
    CataloguedQuery(
        name="account_tokens.hold",
        source=f"{_RENEWALS}:_HOLD",
        arguments=(*_OWN, 660.0),
        index="account_tokens_pkey",
    ),
    CataloguedQuery(
        name="account_tokens.let_go",
        source=f"{_RENEWALS}:_LET_GO",
        arguments=(*_OWN, "time", True),
        index="account_tokens_pkey",
    ),
    CataloguedQuery(
        name="accounts.lock_for_token",
        source=f"{_RENEWALS}:_LOCK_ACCOUNT",
        arguments=_OWN,
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="account_tokens.lock", source=f"{_RENEWALS}:_LOCK_TOKEN", arguments=_OWN, index="account_tokens_pkey"
    ),
    CataloguedQuery(
        name="account_tokens.renew",
        source=f"{_RENEWALS}:_RENEW",
        arguments=(*_OWN, "text", b"", None, 60.0),
        index="account_tokens_pkey",
    ),
    CataloguedQuery(
        name="accounts.set_expiry",
        source=f"{_RENEWALS}:_SET_EXPIRY",
        arguments=(*_OWN, 60.0),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="account_tokens.give_up",
        source=f"{_RENEWALS}:_GIVE_UP",
        arguments=_OWN,
        index="account_tokens_pkey",
    ),
    CataloguedQuery(
        name="account_tokens.put_off",
        source=f"{_RENEWALS}:_PUT_OFF",
        arguments=_OWN,
        index="account_tokens_pkey",
        also=("incidents_open",),
    ),
    CataloguedQuery(
        name="account_tokens.by_key",
        source=f"{_ROTATION}:_COUNT_TOKENS",
        whole="An operator asks for the sums of all when a key is changed.",
    ),
    CataloguedQuery(
        name="account_tokens.take_by_key",
        source=f"{_ROTATION}:_TAKE_TOKENS",
        arguments=("text", "row_id", 500),
        index="account_tokens_key",
    ),
    CataloguedQuery(
        name="account_tokens.put_back",
        source=f"{_ROTATION}:_PUT_TOKENS",
        arguments=("text", "account_ids", []),
        index="account_tokens_pkey",
    ),
    # Proxies
    CataloguedQuery(
        name="proxies.take_due",
        source="services.health.check_egress:_TAKE",
        arguments=(50,),
        index="proxies_check",
        also=("proxies_pkey",),
    ),
    CataloguedQuery(
        name="proxies.lock_unchanged",
        source=f"{_EGRESS}:_LOCK",
        arguments=("user_id", "proxy_id", "time"),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="proxies.set_up",
        source=f"{_EGRESS}:_UP",
        arguments=("user_id", "proxy_id", 20),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="proxies.count_failure",
        source=f"{_EGRESS}:_FAILED",
        arguments=("user_id", "proxy_id", "text"),
        index="proxies_user_id_id_key",
    ),
    *pages(
        CataloguedPage(
            name="proxies.page",
            source=f"{_PROXIES}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="proxies_page",
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="proxies.page_oldest_first",
            source=f"{_PROXIES}:list_query",
            arguments=("user_id", "text", 51),
            filters=("status",),
            place=Place.FIRST,
            direction="ASC",
            index="proxies_page",
            ordered=True,
        )
    ),
    CataloguedQuery(
        name="proxies.find",
        source=f"{_PROXIES}:_FIND",
        arguments=("user_id", "proxy_id"),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="proxies.lock",
        source=f"{_PROXIES}:_LOCK",
        arguments=("user_id", "proxy_id"),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="proxies.find_egress",
        source=f"{_PROXIES}:_EGRESS",
        arguments=("user_id", "proxy_id"),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="proxies.find_by_name",
        source=f"{_PROXIES}:_FIND_BY_NAME",
        arguments=("user_id", "text"),
        index="proxies_user_id_name_key",
    ),
    CataloguedQuery(
        name="proxies.rename",
        source=f"{_PROXIES}:_RENAME",
        arguments=("user_id", "proxy_id", "text"),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="proxies.redirect",
        source=f"{_PROXIES}:_REDIRECT",
        arguments=("user_id", "proxy_id", "text", "text", 3128),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="proxies.seal",
        source=f"{_PROXIES}:_SEAL",
        arguments=("user_id", "proxy_id", None, None),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="proxies.delete",
        source=f"{_PROXIES}:_DELETE",
        arguments=("user_id", "proxy_id"),
        index="proxies_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.of_proxy",
        source=f"{_PROXIES}:_USERS",
        arguments=("user_id", "proxy_id", 10),
        index="accounts_proxy",
    ),
    CataloguedQuery(
        name="accounts.count_of_proxy",
        source=f"{_PROXIES}:_COUNT_USERS",
        arguments=("user_id", "proxy_id"),
        index="accounts_proxy",
    ),
    CataloguedQuery(
        name="warmup_protocols.all",
        source="services.api.protocols.store:_LIST",
        whole="It is a handful of rows, and all of them are asked for.",
    ),
    CataloguedQuery(
        name="accounts.held_by_proxy",
        source=f"{_EGRESS}:_HELD_UP",
        arguments=("user_id", "proxy_id", "row_id", 100, _PUBLISHABLE),
        index="accounts_proxy",
    ),
    CataloguedQuery(
        name="proxies.by_key",
        source=f"{_ROTATION}:_COUNT_PROXIES",
        whole="An operator asks for the sums of all when a key is changed.",
    ),
    CataloguedQuery(
        name="proxies.take_by_key",
        source=f"{_ROTATION}:_TAKE_PROXIES",
        arguments=("text", "row_id", 500),
        whole="An operator has all of them read when a key is changed.",
    ),
    CataloguedQuery(
        name="proxies.put_back",
        source=f"{_ROTATION}:_PUT_PROXIES",
        arguments=("text", "proxy_ids", []),
        index="proxies_pkey",
    ),
)
