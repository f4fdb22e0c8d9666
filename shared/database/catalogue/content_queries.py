"""Queries of groups, media, posts, distributions and health."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_DISTRIBUTIONS = "services.api.distributions.store"
_GROUPS = "services.api.groups.store"
_HEALTH = "services.api.health.store"
_TARGETS = "services.api.publications.choose_targets"
_CONTENT = "services.publisher.content"

_OWN = ("user_id", "account_id")

CONTENT_QUERIES: tuple[CataloguedQuery, ...] = (
    # Groups
    *pages(
        CataloguedPage(
            name="groups.page",
            source=f"{_GROUPS}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="groups_page",
            also=("group_members_pkey",),
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="groups.page_oldest_first",
            source=f"{_GROUPS}:list_query",
            arguments=("user_id", "tag", 51),
            filters=("tag",),
            place=Place.FIRST,
            direction="ASC",
            index="groups_page",
            also=("group_members_pkey",),
            ordered=True,
        )
    ),
    # An account is in few groups: they are found by it, and then sorted.
    *pages(
        CataloguedPage(
            name="groups.page_of_account",
            source=f"{_GROUPS}:list_query",
            arguments=("user_id", "account_id", 51),
            filters=("account_id",),
            place=Place.FIRST,
            index="group_members_account",
            also=("groups_user_id_id_key",),
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
        name="groups.lock",
        source=f"{_GROUPS}:_LOCK",
        arguments=("user_id", "group_id"),
        index="groups_user_id_id_key",
    ),
    CataloguedQuery(
        name="groups.hold",
        source=f"{_GROUPS}:_HOLD",
        arguments=("user_id", "group_id"),
        index="groups_user_id_id_key",
    ),
    CataloguedQuery(
        name="groups.update",
        source=f"{_GROUPS}:_UPDATE",
        arguments=("user_id", "group_id", "text", None, []),
        index="groups_user_id_id_key",
    ),
    CataloguedQuery(
        name="groups.delete",
        source=f"{_GROUPS}:_DELETE",
        arguments=("user_id", "group_id"),
        index="groups_user_id_id_key",
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
        name="group_members.add",
        source=f"{_GROUPS}:_ADD",
        arguments=("user_id", "group_id", "account_ids"),
        index="accounts_user_id_id_key",
    ),
    CataloguedQuery(
        name="group_members.remove",
        source=f"{_GROUPS}:_REMOVE",
        arguments=("user_id", "group_id", "account_ids"),
        index="group_members_pkey",
    ),
    CataloguedQuery(
        name="group_members.targets",
        source="shared.publications.targets:_MEMBERS",
        arguments=("user_id", "group_id"),
        index="group_members_pkey",
    ),
    # Posts, beside those of media_queries.py
    CataloguedQuery(
        name="posts.lock",
        source=f"{_TARGETS}:_LOCK_POST",
        arguments=("user_id", "post_id"),
        index="posts_user_id_id_key",
    ),
    CataloguedQuery(
        name="posts.hold_all",
        source="services.api.posts.store:_HOLD_ALL",
        arguments=("user_id", "post_ids"),
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
            source=f"{_DISTRIBUTIONS}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="distributions_page",
            also=("publications_distribution_page",),
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="distributions.page_by_schedule",
            source=f"{_DISTRIBUTIONS}:list_query",
            arguments=("user_id", "schedule_id", 51),
            filters=("schedule_id",),
            place=Place.FIRST,
            index="distributions_schedule",
            also=("publications_distribution_page",),
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="distributions.page_oldest",
            source=f"{_DISTRIBUTIONS}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            direction="ASC",
            index="distributions_page",
            also=("publications_distribution_page",),
            ordered=True,
        )
    ),
    *(
        CataloguedQuery(
            name=f"distributions.{name}",
            source=source,
            arguments=("user_id", "distribution_id"),
            index="distributions_user_id_id_key",
        )
        for name, source in (
            ("lock", f"{_DISTRIBUTIONS}:_LOCK"),
            ("pause", f"{_DISTRIBUTIONS}:_PAUSE"),
            ("resume", f"{_DISTRIBUTIONS}:_RESUME"),
            ("cancel", f"{_DISTRIBUTIONS}:_CANCEL"),
            ("still_paused", "shared.publications.gates:_STILL_PAUSED"),
        )
    ),
    CataloguedQuery(
        name="distributions.paused",
        source="shared.publications.gates:_PAUSED",
        arguments=("user_id", []),
        index="distributions_user_id_id_key",
    ),
    CataloguedQuery(
        name="publications.lock_failed",
        source=f"{_DISTRIBUTIONS}:_FAILED",
        arguments=("user_id", "distribution_id"),
        index="publications_state_page",
    ),
    CataloguedQuery(
        name="publications.wish_all_now",
        source=f"{_DISTRIBUTIONS}:_WISH_NOW",
        arguments=("user_id", "publication_ids", 60.0),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="distributions.find",
        source=f"{_DISTRIBUTIONS}:_FIND",
        arguments=("user_id", "distribution_id"),
        index="distributions_user_id_id_key",
        also=("publications_distribution_page",),
    ),
    # Health
    CataloguedQuery(name="health_scores.read", source=f"{_HEALTH}:_SCORE", arguments=_OWN, index="health_scores_pkey"),
)
