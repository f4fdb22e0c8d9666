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
        name="accounts.set_state",
        source="shared.accounts.transition:_UPDATE",
        arguments=("user_id", "account_id", "account_state", None),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="accounts.examine",
        source=f"{_EVIDENCE}:_ACCOUNT",
        arguments=_OWN,
        index="accounts_user_id_id_key",
        also=("account_tokens_pkey",),
    ),
    CataloguedQuery(
        name="account_tokens.read", source=f"{_CONTENT}:_SEALED", arguments=_OWN, index="account_tokens_pkey"
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
        name="media.known", source=f"{_MEDIA}:_KNOWN", arguments=("user_id", "media_ids"), index="media_user_id_id_key"
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
