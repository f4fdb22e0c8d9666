"""Queries of the test whether the media of a post can be fetched from outside."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

_CHECK = "services.publisher.check_media"
_REACH = "shared.publications.reach_media"

MEDIA_QUERIES: tuple[CataloguedQuery, ...] = (
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
