"""Queries of the outbox, recurring jobs, dead jobs, starts and statistics."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedPage, CataloguedQuery, Place, pages

_OUTBOX = "shared.outbox"
_RECURRING = "shared.jobs.recurring"
_DEAD = "shared.jobs.dead"
_DISCARD = "shared.jobs.discard"

_ALL_DEAD = (None, None, None, None, None)
_SOME_DEAD = ("dead_type", "dead_reason", None, None, None)
_LISTED = "Few jobs recur, and an operator looks at them now and then."

JOB_QUERIES: tuple[CataloguedQuery, ...] = (
    CataloguedQuery(
        name="outbox.claim",
        source=f"{_OUTBOX}.drain:_CLAIM",
        arguments=(500, []),
        index="outbox_due",
        ordered=True,
    ),
    CataloguedQuery(
        name="outbox.delete", source=f"{_OUTBOX}.drain:_DELETE", arguments=("outbox_ids",), index="outbox_pkey"
    ),
    CataloguedQuery(
        name="outbox.put_off", source=f"{_OUTBOX}.drain:_PUT_OFF", arguments=("outbox_ids", 60.0), index="outbox_pkey"
    ),
    CataloguedQuery(name="outbox.next_due", source=f"{_OUTBOX}.drain:_NEXT_DUE", index="outbox_due", ordered=True),
    CataloguedQuery(name="outbox.backlog", source=f"{_OUTBOX}.backlog:_BACKLOG", index="outbox_due"),
    CataloguedQuery(
        name="outbox.withdraw",
        source=f"{_OUTBOX}.append:_WITHDRAW",
        arguments=("post_publish", "outbox_subjects"),
        index="outbox_type_subject_key",
    ),
    # Recurring jobs
    CataloguedQuery(
        name="recurring_jobs.claim",
        source=f"{_RECURRING}.fire:_CLAIM",
        arguments=(500, ["health:check", "cleanup:old_jobs"]),
        index="recurring_jobs_due",
        ordered=True,
    ),
    CataloguedQuery(
        name="recurring_jobs.next_due",
        source=f"{_RECURRING}.fire:_NEXT_DUE",
        arguments=(["health:check", "cleanup:old_jobs"],),
        index="recurring_jobs_due",
        ordered=True,
    ),
    CataloguedQuery(
        name="recurring_jobs.move_on",
        source=f"{_RECURRING}.fire:_MOVE_ON",
        arguments=("recurring_names", [], []),
        index="recurring_jobs_pkey",
    ),
    CataloguedQuery(
        name="recurring_jobs.give_up",
        source=f"{_RECURRING}.fire:_GIVE_UP",
        arguments=("recurring_name", "text"),
        index="recurring_jobs_pkey",
    ),
    CataloguedQuery(
        name="recurring_jobs.list",
        source=f"{_RECURRING}.control:_LIST",
        arguments=("job_type", 100),
        whole=_LISTED,
    ),
    CataloguedQuery(
        name="recurring_jobs.pause",
        source=f"{_RECURRING}.control:_PAUSE",
        arguments=("recurring_name",),
        index="recurring_jobs_pkey",
    ),
    CataloguedQuery(
        name="recurring_jobs.lock",
        source=f"{_RECURRING}.control:_LOCK",
        arguments=("recurring_name",),
        index="recurring_jobs_pkey",
    ),
    CataloguedQuery(
        name="recurring_jobs.resume",
        source=f"{_RECURRING}.control:_RESUME",
        arguments=("recurring_name", "time"),
        index="recurring_jobs_pkey",
    ),
    CataloguedQuery(
        name="recurring_jobs.fired",
        source=f"{_RECURRING}.control:_FIRED",
        arguments=("recurring_name",),
        index="recurring_jobs_pkey",
    ),
    CataloguedQuery(
        name="recurring_jobs.remove",
        source=f"{_RECURRING}.control:_REMOVE",
        arguments=("recurring_name",),
        index="recurring_jobs_pkey",
    ),
    *pages(
        CataloguedPage(
            name="recurring_jobs.page",
            source=f"{_RECURRING}.control:LIST_RECURRING",
            arguments=("job_type", 51),
            place=Place.FIRST,
            column="next_due_at",
            direction="ASC",
            whole=_LISTED,
        )
    ),
    # Dead jobs
    *pages(
        CataloguedPage(
            name="dead_jobs.list",
            source=f"{_DEAD}:LIST_DEAD",
            arguments=(*_ALL_DEAD, 51),
            place=Place.FIRST,
            column="died_at",
            index="dead_jobs_page",
            ordered=True,
        )
    ),
    *pages(
        CataloguedPage(
            name="dead_jobs.list_by_reason",
            source=f"{_DEAD}:LIST_DEAD",
            arguments=(*_SOME_DEAD, 51),
            place=Place.FIRST,
            column="died_at",
            index="dead_jobs_filter",
        )
    ),
    CataloguedQuery(
        name="dead_jobs.page",
        source=f"{_DEAD}:_LIST",
        arguments=(*_ALL_DEAD, "died_at", "dead_id", 100),
        index="dead_jobs_page",
        ordered=True,
    ),
    CataloguedQuery(
        name="dead_jobs.page_by_reason",
        source=f"{_DEAD}:_LIST",
        arguments=(*_SOME_DEAD, "died_at", "dead_id", 100),
        index="dead_jobs_filter",
    ),
    CataloguedQuery(
        name="dead_jobs.lock_oldest",
        source=f"{_DEAD}:_OLDEST",
        arguments=(*_ALL_DEAD, "died_at", "dead_id", 500),
        index="dead_jobs_page",
        ordered=True,
    ),
    CataloguedQuery(
        name="dead_jobs.count",
        source=f"{_DEAD}:_COUNT",
        arguments=_ALL_DEAD,
        whole="An operator asks for the sums of all, now and then.",
    ),
    CataloguedQuery(name="dead_jobs.read", source=f"{_DEAD}:_READ", arguments=("dead_id",), index="dead_jobs_pkey"),
    CataloguedQuery(name="dead_jobs.lock", source=f"{_DEAD}:_LOCK", arguments=("dead_ids",), index="dead_jobs_pkey"),
    CataloguedQuery(
        name="dead_jobs.leave",
        source="shared.jobs.redrive:_LEAVE",
        arguments=("dead_ids",),
        index="dead_jobs_pkey",
        also=("outbox_type_subject_key",),
    ),
    CataloguedQuery(
        name="dead_jobs.discard", source=f"{_DISCARD}:_DISCARD", arguments=("dead_ids",), index="dead_jobs_pkey"
    ),
    CataloguedQuery(
        name="dead_jobs.discard_oldest",
        source=f"{_DISCARD}:_DISCARD_OLDEST",
        arguments=(*_ALL_DEAD, 20),
        index="dead_jobs_page",
        also=("dead_jobs_pkey",),
    ),
    CataloguedQuery(
        name="dead_jobs.count_meant", source=f"{_DISCARD}:_COUNT", arguments=_SOME_DEAD, index="dead_jobs_filter"
    ),
    # Starts and statistics: a row per job under suspicion, and a row per process and type
    CataloguedQuery(
        name="job_starts.end",
        source="shared.jobs.starts:_END",
        arguments=("post_publish", "text"),
        index="job_starts_pkey",
    ),
    CataloguedQuery(
        name="job_stats.read",
        source="shared.jobs.stats:_READ",
        whole="It is one row per process and type, and the sums are of all.",
    ),
    CataloguedQuery(
        name="job_stats.fold",
        source="shared.jobs.stats:_FOLD",
        arguments=("text", 1000),
        whole="It is one row per process and type.",
    ),
)
