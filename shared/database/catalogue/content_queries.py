"""Queries of groups, media, posts, distributions and health."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_GROUPS = "services.api.groups.store"
_HEALTH = "services.api.health.store"
_MEDIA = "services.api.media.store"
_TARGETS = "services.api.publications.choose_targets"
_CONTENT = "services.publisher.content"

_OWN = ("user_id", "account_id")
_PUBLISHABLE = ["NEW", "WARMING_UP", "ACTIVE"]

CONTENT_QUERIES: tuple[CataloguedQuery, ...] = (
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
