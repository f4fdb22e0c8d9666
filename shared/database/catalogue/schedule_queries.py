"""Queries of schedules, their occurrences and post queues."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_MAKE = "services.scheduler.make_occurrences"
_PROCESS = "services.scheduler.process_schedule"
_POST = "services.scheduler.choose_post"
_SCHEDULES = "services.api.schedules.store"
_DEPENDENTS = "services.api.schedules.dependents"
_QUEUES = "services.api.post_queues.store"

_OF_SCHEDULE = ("user_id", "schedule_id")
_OF_QUEUE = ("user_id", "post_queue_id")
_RULE = ("text", None, "text", "text", "text", None, None)
_WISH = ("text", *_RULE, "text", None, None, None, None, 0, 0.0, None)

SCHEDULE_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="schedules.claim", source=f"{_MAKE}:_CLAIM", arguments=(500,), index="schedules_due", ordered=True
    ),
    CataloguedQuery(
        name="schedules.move_on",
        source="shared.schedules.write:_MOVE_ON",
        arguments=([], [], []),
        index="schedules_pkey",
    ),
    CataloguedQuery(name="schedules.give_up", source=f"{_MAKE}:_GIVE_UP", arguments=([],), index="schedules_pkey"),
    CataloguedQuery(name="schedules.next_due", source=f"{_MAKE}:_NEXT_DUE", index="schedules_due"),
    CataloguedQuery(
        name="schedules.break",
        source="services.scheduler.break_schedules:_PAUSE",
        arguments=([], []),
        index="schedules_pkey",
    ),
    CataloguedQuery(
        name="schedules.lock_for_occurrence",
        source=f"{_PROCESS}:_LOCK_SCHEDULE",
        arguments=("user_id", "schedule_id"),
        index="schedules_user_id_id_key",
    ),
    CataloguedQuery(
        name="schedule_occurrences.lock",
        source=f"{_PROCESS}:_LOCK",
        arguments=("user_id", "occurrence_id"),
        index="schedule_occurrences_pkey",
    ),
    CataloguedQuery(
        name="schedule_occurrences.has_newer",
        source=f"{_PROCESS}:_HAS_NEWER",
        arguments=("user_id", "schedule_id", "created_at"),
        index="schedule_occurrences_page",
    ),
    CataloguedQuery(
        name="schedule_occurrences.end",
        source="services.scheduler.end_occurrence:_END",
        arguments=("user_id", "occurrence_id", "text", None, "post_id", "distribution_id", 1, None, 0),
        index="schedule_occurrences_pkey",
    ),
    CataloguedQuery(
        name="schedule_occurrences.rescue",
        source="services.scheduler.rescue_occurrences:_TAKE",
        arguments=(500,),
        index="schedule_occurrences_pending",
        also=("schedule_occurrences_pkey",),
    ),
    CataloguedQuery(
        name="post_queues.lock_for_occurrence",
        source=f"{_POST}:_LOCK_QUEUE",
        arguments=("user_id", "post_queue_id"),
        index="post_queues_user_id_id_key",
    ),
    CataloguedQuery(
        name="post_queue_items.first",
        source=f"{_POST}:_FIRST",
        arguments=("user_id", "post_queue_id"),
        index="post_queue_items_pkey",
        ordered=True,
    ),
    CataloguedQuery(
        name="post_queue_items.take",
        source=f"{_POST}:_TAKE",
        arguments=("user_id", "post_queue_id", 1),
        index="post_queue_items_pkey",
    ),
    CataloguedQuery(
        name="posts.lock_for_occurrence",
        source=f"{_POST}:_LOCK_POST",
        arguments=("user_id", "post_id"),
        index="posts_user_id_id_key",
    ),
    # The gateway's own
    *pages(
        CataloguedPage(
            name="schedules.page",
            source=f"{_SCHEDULES}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="schedules_page",
            ordered=True,
        )
    ),
    CataloguedPage(
        name="schedules.page_oldest_first",
        source=f"{_SCHEDULES}:list_query",
        arguments=("user_id", 51),
        place=Place.FIRST,
        direction="ASC",
        index="schedules_page",
        ordered=True,
    ),
    # Few schedules name the same thing: they are found by it, and then sorted.
    *(
        CataloguedPage(
            name=f"schedules.page_by_{what}",
            source=f"{_SCHEDULES}:list_query",
            arguments=("user_id", f"{what}_id", 51),
            filters=(f"{what}_id",),
            place=Place.FIRST,
            index=index,
        )
        for what, index in (
            ("account", "schedules_account"),
            ("group", "schedules_group"),
            ("post", "schedules_post"),
            ("post_queue", "schedules_queue"),
        )
    ),
    *(
        CataloguedQuery(
            name=f"schedules.{name}",
            source=f"{_SCHEDULES}:{constant}",
            arguments=(*_OF_SCHEDULE, *more),
            index="schedules_user_id_id_key",
        )
        for name, constant, more in (
            ("find", "_FIND", ()),
            ("lock", "_LOCK", ()),
            ("update", "_UPDATE", _WISH),
            ("begin_anew", "_BEGIN_ANEW", ("time", "time")),
            ("pause", "_PAUSE", ()),
            ("resume", "_RESUME", ("time", "time")),
            ("remove", "_REMOVE", ()),
        )
    ),
    CataloguedQuery(
        name="schedules.lock_dependents",
        source=f"{_DEPENDENTS}:_LOCK_DEPENDENTS",
        arguments=("user_id", "post_queue_id"),
        index="schedules_queue",
        also=("schedules_account", "schedules_group", "schedules_post"),
    ),
    CataloguedQuery(
        name="schedules.stop_dependents",
        source=f"{_DEPENDENTS}:_BREAK",
        arguments=("user_id", "account_ids", "text"),
        index="schedules_user_id_id_key",
    ),
    *pages(
        CataloguedPage(
            name="schedule_occurrences.page",
            source=f"{_SCHEDULES}:occurrences_query",
            arguments=("user_id", "schedule_id", 51),
            filters=("schedule_id",),
            place=Place.FIRST,
            column="due_at",
            index="schedule_occurrences_page",
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="post_queues.page",
            source=f"{_QUEUES}:list_query",
            arguments=("user_id", 51),
            place=Place.FIRST,
            index="post_queues_page",
            also=("post_queue_items_pkey",),
            ordered=True,
        )
    ),
    CataloguedPage(
        name="post_queues.page_oldest_first",
        source=f"{_QUEUES}:list_query",
        arguments=("user_id", 51),
        place=Place.FIRST,
        direction="ASC",
        index="post_queues_page",
        also=("post_queue_items_pkey",),
        ordered=True,
    ),
    *(
        CataloguedQuery(
            name=f"post_queues.{name}",
            source=f"{_QUEUES}:{constant}",
            arguments=(*_OF_QUEUE, *more),
            index="post_queues_user_id_id_key",
        )
        for name, constant, more in (
            ("find", "_FIND", ()),
            ("lock", "_LOCK", ()),
            ("hold", "_HOLD", ()),
            ("update", "_UPDATE", ("text", "text")),
            ("touch", "_TOUCH", ()),
            ("delete", "_DELETE", ()),
        )
    ),
    CataloguedQuery(
        name="post_queues.lock_with_post",
        source=f"{_QUEUES}:_LOCK_WITH",
        arguments=("user_id", "new_post_id"),
        index="post_queue_items_post",
        also=("post_queues_user_id_id_key",),
    ),
    CataloguedQuery(
        name="post_queues.find_by_name",
        source=f"{_QUEUES}:_FIND_BY_NAME",
        arguments=("user_id", "text"),
        index="post_queues_user_id_name_key",
    ),
    CataloguedQuery(
        name="post_queue_items.clear", source=f"{_QUEUES}:_CLEAR", arguments=_OF_QUEUE, index="post_queue_items_pkey"
    ),
    CataloguedQuery(
        name="post_queue_items.drop_post",
        source=f"{_QUEUES}:_DROP_POST",
        arguments=("user_id", "new_post_id"),
        index="post_queue_items_post",
    ),
)
