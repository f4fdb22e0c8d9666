"""Queries of tenants, accounts, groups, media, posts, distributions and health."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_ACCOUNTS = "services.api.accounts.store"
_GROUPS = "services.api.groups.store"
_HEALTH = "services.api.health.store"
_MEDIA = "services.api.media.store"
_TARGETS = "services.api.publications.choose_targets"
_EVIDENCE = "services.health.evidence"
_CONTENT = "services.publisher.content"
_EGRESS = "services.health.check_egress"
_RENEWALS = "services.health.renewals"
_ROTATION = "deploy.cli.rotation"

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
    CataloguedQuery(
        name="account_tokens.read",
        source="services.publisher.account:_SEALED",
        arguments=_OWN,
        index="account_tokens_pkey",
    ),
    CataloguedQuery(
        name="account_tokens.plan_refreshes",
        source=f"{_ACCOUNTS}:_PLAN_REFRESHES",
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
        arguments=(*_OWN, "time"),
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
        source=f"{_EGRESS}:_TAKE",
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
    # Groups
    *pages(
        CataloguedPage(
            name="groups.page",
            source=f"{_GROUPS}:LIST",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="groups_page",
            also=("group_members_pkey",),
            ordered=True,
        )
    ),
    CataloguedQuery(
        name="groups.find",
        source=f"{_GROUPS}:_FIND",
        arguments=("user_id", "group_id"),
        index="groups_user_id_id_key",
        also=("group_members_pkey",),
    ),
    CataloguedQuery(
        name="groups.find_by_name",
        source=f"{_GROUPS}:_FIND_BY_NAME",
        arguments=("user_id", "group_name"),
        index="groups_user_id_name_key",
    ),
    CataloguedQuery(
        name="groups.exists",
        source=f"{_TARGETS}:_GROUP",
        arguments=("user_id", "group_id"),
        index="groups_user_id_id_key",
    ),
    CataloguedQuery(
        name="groups.known",
        source=f"{_GROUPS}:_KNOWN",
        arguments=("user_id", "group_id", "account_id"),
        index="groups_user_id_id_key",
        also=("accounts_user_id_id_key",),
    ),
    CataloguedQuery(
        name="group_members.add",
        source=f"{_GROUPS}:_ADD",
        arguments=("user_id", "group_id", "account_ids"),
        index="accounts_user_id_id_key",
        also=("groups_user_id_id_key",),
    ),
    CataloguedQuery(
        name="group_members.remove",
        source=f"{_GROUPS}:_REMOVE",
        arguments=("user_id", "group_id", "account_id"),
        index="group_members_pkey",
    ),
    CataloguedQuery(
        name="group_members.targets",
        source=f"{_TARGETS}:_MEMBERS",
        arguments=("user_id", "group_id"),
        index="group_members_pkey",
    ),
    # Media and posts
    CataloguedQuery(
        name="media.find", source=f"{_MEDIA}:_FIND", arguments=("user_id", "media_id"), index="media_user_id_id_key"
    ),
    CataloguedQuery(
        name="media.find_all",
        source=f"{_MEDIA}:_FIND_ALL",
        arguments=("user_id", "media_ids"),
        index="media_user_id_id_key",
    ),
    *pages(
        CataloguedPage(
            name="posts.page",
            source="services.api.posts.store:LIST",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="posts_page",
            also=("publications_post_page",),
            ordered=True,
        )
    ),
    CataloguedQuery(
        name="posts.find",
        source="services.api.posts.store:_FIND",
        arguments=("user_id", "post_id"),
        index="posts_user_id_id_key",
        also=("publications_post_page",),
    ),
    CataloguedQuery(
        name="posts.lock",
        source=f"{_TARGETS}:_LOCK_POST",
        arguments=("user_id", "post_id"),
        index="posts_user_id_id_key",
    ),
    CataloguedQuery(
        name="posts.unreachable_media",
        source="services.publisher.reconsider:_UNREACHABLE",
        arguments=("user_id", "post_id"),
        index="posts_user_id_id_key",
        also=("media_user_id_id_key",),
    ),
    CataloguedQuery(
        name="posts.content",
        source=f"{_CONTENT}:_CONTENT",
        arguments=("user_id", "account_text", "account_id", "post_id"),
        index="posts_user_id_id_key",
        also=("media_user_id_id_key", "accounts_user_id_id_key", "account_tokens_pkey"),
    ),
    # Distributions
    *pages(
        CataloguedPage(
            name="distributions.page",
            source="services.api.distributions.store:LIST",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="distributions_page",
            also=("publications_distribution_page",),
            ordered=True,
        )
    ),
    CataloguedQuery(
        name="distributions.find",
        source="services.api.distributions.store:_FIND",
        arguments=("user_id", "distribution_id"),
        index="distributions_user_id_id_key",
        also=("publications_distribution_page",),
    ),
    # Health
    CataloguedQuery(name="health_scores.read", source=f"{_HEALTH}:_SCORE", arguments=_OWN, index="health_scores_pkey"),
    CataloguedQuery(
        name="health_scores.bands", source=f"{_HEALTH}:_BANDS", arguments=("user_id",), index="health_scores_worst"
    ),
    CataloguedQuery(
        name="health_scores.worst",
        source=f"{_HEALTH}:_WORST",
        arguments=("user_id",),
        index="health_scores_worst",
        ordered=True,
    ),
    CataloguedQuery(
        name="health_scores.swarm",
        source=f"{_HEALTH}:_SWARM",
        arguments=("user_id", _PUBLISHABLE),
        index="health_scores_worst",
    ),
)
