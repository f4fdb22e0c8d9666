"""Queries of media and posts, and of the test whether the media of a post can be fetched from outside."""

from __future__ import annotations

from dataclasses import replace

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_CHECK = "services.publisher.check_media"
_MEDIA = "services.api.media.store"
_POSTS = "services.api.posts.store"
_REACH = "shared.publications.reach_media"


def _oldest_first(query: CataloguedPage) -> CataloguedPage:
    return replace(query, name=f"{query.name}_oldest_first", direction="ASC")


_MEDIA_PAGE = CataloguedPage(
    name="media.page",
    source=f"{_MEDIA}:list_query",
    arguments=("user_id", 51),
    place=Place.FIRST,
    index="media_page",
    ordered=True,
)
_POSTS_PAGE = CataloguedPage(
    name="posts.page",
    source=f"{_POSTS}:list_query",
    arguments=("user_id", None, 51),
    place=Place.FIRST,
    index="posts_page",
    also=("publications_post_page",),
    ordered=True,
)
_POSTS_BY_CHANGE = replace(_POSTS_PAGE, name="posts.page_by_change", column="updated_at", index="posts_updated_page")

MEDIA_QUERIES: tuple[CataloguedQuery, ...] = (
    # Media
    *pages(_MEDIA_PAGE),
    *pages(_oldest_first(_MEDIA_PAGE)),
    *pages(
        CataloguedPage(
            name="media.page_of_kind",
            source=f"{_MEDIA}:list_query",
            filters=("kind",),
            arguments=("user_id", "media_kind", 51),
            place=Place.FIRST,
            index="media_kind_page",
            ordered=True,
        )
    ),
    CataloguedPage(
        name="media.page_of_content",
        source=f"{_MEDIA}:list_query",
        filters=("sha256",),
        arguments=("user_id", "sha256", 51),
        place=Place.FIRST,
        index="media_content",
    ),
    CataloguedQuery(
        name="media.find", source=f"{_MEDIA}:_FIND", arguments=("user_id", "media_id"), index="media_user_id_id_key"
    ),
    CataloguedQuery(
        name="media.find_all",
        source=f"{_MEDIA}:_FIND_ALL",
        arguments=("user_id", "media_ids"),
        index="media_user_id_id_key",
    ),
    CataloguedQuery(
        name="media.hold_all",
        source=f"{_MEDIA}:_HOLD",
        arguments=("user_id", "media_ids"),
        index="media_user_id_id_key",
    ),
    CataloguedQuery(
        name="media.lock", source=f"{_MEDIA}:_LOCK", arguments=("user_id", "media_id"), index="media_user_id_id_key"
    ),
    CataloguedQuery(
        name="media.has_key", source=f"{_MEDIA}:_HAS_KEY", arguments=("user_id", "text"), index="media_key_key"
    ),
    CataloguedQuery(
        name="media.remove", source=f"{_MEDIA}:_REMOVE", arguments=("user_id", "media_id"), index="media_user_id_id_key"
    ),
    CataloguedQuery(
        name="media.to_drop", source=f"{_MEDIA}:_TO_DROP", arguments=(50,), index="media_to_drop", ordered=True
    ),
    CataloguedQuery(
        name="media.note_dropped", source=f"{_MEDIA}:_NOTE_DROPPED", arguments=("media_ids",), index="media_pkey"
    ),
    CataloguedQuery(
        name="media.removed_of_post",
        source="services.api.media.require_media:_REMOVED",
        arguments=("user_id", "post_id"),
        index="media_user_id_id_key",
        also=("posts_user_id_id_key",),
    ),
    # Posts
    *pages(_POSTS_PAGE),
    *pages(_oldest_first(_POSTS_PAGE)),
    *pages(_POSTS_BY_CHANGE),
    *pages(_oldest_first(_POSTS_BY_CHANGE)),
    *pages(
        CataloguedPage(
            name="posts.page_of_type",
            source=f"{_POSTS}:list_query",
            filters=("type_",),
            arguments=("user_id", None, "post_type", 51),
            place=Place.FIRST,
            index="posts_type_page",
            also=("publications_post_page",),
            ordered=True,
        )
    ),
    CataloguedPage(
        name="posts.page_of_media",
        source=f"{_POSTS}:list_query",
        filters=("media_id",),
        arguments=("user_id", None, "media_id", 51),
        place=Place.FIRST,
        index="posts_media",
        also=("posts_cover", "publications_post_page"),
    ),
    CataloguedQuery(
        name="posts.find",
        source=f"{_POSTS}:_FIND",
        arguments=("user_id", None, "post_id"),
        index="posts_user_id_id_key",
        also=("publications_post_page",),
    ),
    CataloguedQuery(
        name="posts.find_limited",
        source=f"{_POSTS}:_FIND_LIMITED",
        arguments=("user_id", "account_ids", "post_id"),
        index="posts_user_id_id_key",
        also=("publications_post_page", "publications_archive_post_page"),
    ),
    CataloguedQuery(
        name="posts.lock_as_it_is",
        source=f"{_POSTS}:_LOCK",
        arguments=("user_id", "post_id"),
        index="posts_user_id_id_key",
    ),
    CataloguedQuery(
        name="posts.lock_showing",
        source=f"{_POSTS}:_LOCK_SHOWING",
        arguments=("user_id", "media_id"),
        index="posts_media",
        also=("posts_cover",),
    ),
    CataloguedQuery(
        name="posts.update",
        source=f"{_POSTS}:_UPDATE",
        arguments=("post_id", "user_id", "text", "text", [], None, None),
        index="posts_user_id_id_key",
    ),
    CataloguedQuery(
        name="posts.remove",
        source=f"{_POSTS}:_REMOVE",
        arguments=("user_id", "post_id"),
        index="posts_user_id_id_key",
    ),
    CataloguedQuery(
        name="publications.awaited_of_posts",
        source=f"{_POSTS}:_AWAITED",
        arguments=("user_id", "post_ids"),
        index="publications_post_page",
    ),
    CataloguedQuery(
        name="publications.lock_awaited_of_post",
        source=f"{_POSTS}:_LOCK_AWAITED",
        arguments=("user_id", "new_post_id"),
        index="publications_post_page",
    ),
    CataloguedQuery(
        name="publications.fixed_of_post",
        source=f"{_POSTS}:_FIXED",
        arguments=("user_id", "post_id"),
        index="publications_post_page",
        also=("publications_archive_post_page",),
    ),
    CataloguedQuery(
        name="publications.revise",
        source="shared.publications.edit:_REVISE",
        arguments=("user_id", "publication_ids", 60.0),
        index="publications_user_id_id_key",
    ),
    # Fetched from outside
    CataloguedQuery(
        name="media.unfetched_of",
        source=f"{_REACH}:_UNFETCHED_MEDIA",
        arguments=("user_id", "media_ids", 600.0, None),
        index="media_user_id_id_key",
    ),
    CataloguedQuery(
        name="media.unfetched",
        source=f"{_REACH}:_UNFETCHED",
        arguments=("user_id", "post_id", 600.0),
        index="media_user_id_id_key",
        also=("posts_user_id_id_key",),
    ),
    CataloguedQuery(
        name="media.note_looks",
        source=f"{_REACH}:_NOTE",
        arguments=("user_id", "media_ids", [None, "text"]),
        index="media_user_id_id_key",
    ),
    CataloguedQuery(
        name="publications.of_post_awaited",
        source=f"{_CHECK}:_AWAITED",
        arguments=("user_id", "post_id", 1800.0),
        index="publications_post_page",
    ),
    CataloguedQuery(
        name="posts.lock_for_check",
        source=f"{_CHECK}:_LOCK_POST",
        arguments=("user_id", "post_id"),
        index="posts_user_id_id_key",
    ),
    CataloguedQuery(
        name="outbox.next_media_check",
        source="shared.publications.plan_check:_NEXT",
        arguments=("text", "text", [], 1800.0, 600.0),
        index="outbox_type_subject_key",
    ),
)
