"""Queries of publications on their way: of the publisher, the scheduler, and the health of accounts."""

from __future__ import annotations

from shared.database.catalogue.query import CataloguedQuery

_CLAIM = "shared.publications.claim"
_PROGRESS = "services.publisher.progress"
_RESCUE = "shared.publications.rescue"
_STOP = "shared.publications.stop"
_TRANSITION = "shared.publications.transition"

_OWN = ("user_id", "publication_id")

PUBLISHING_QUERIES: tuple[CataloguedQuery, ...] = (
    # For the publisher
    CataloguedQuery(
        name="publications.lock_account",
        source=f"{_CLAIM}:_LOCK_ACCOUNT",
        arguments=("publication_id", 1),
        index="publications_pkey",
        also=("accounts_pkey",),
    ),
    CataloguedQuery(
        name="publications.day_record",
        source="shared.publications.caps:_DAY_RECORD",
        arguments=("user_id", "account_id", "day_begin"),
        index="publications_account_page",
    ),
    CataloguedQuery(
        name="publications.postpone",
        source="shared.publications.postpone:_POSTPONE",
        arguments=("publication_id", 1, "text", "day_end", 60.0),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="publications.claim",
        source=f"{_CLAIM}:_CLAIM",
        arguments=("publication_id", 1, 20.0, "text"),
        index="publications_pkey",
        also=("publications_publishing",),
    ),
    CataloguedQuery(
        name="publication_attempts.begin",
        source=f"{_CLAIM}:_BEGIN_ATTEMPT",
        arguments=("publication_id", 1, "user_id", 1, "text", "account_id"),
        index="publication_attempts_pkey",
    ),
    CataloguedQuery(
        name="publications.explain",
        source=f"{_CLAIM}:_EXPLAIN",
        arguments=("publication_id",),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="publications.still_waits",
        source="services.publisher.claim:_STILL_WAITS",
        arguments=("publication_id", 1, 2.0),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="publications.renew_leases",
        source="services.publisher.leases:_RENEW",
        arguments=("publication_ids", [], 20.0),
        index="publications_publishing",
    ),
    CataloguedQuery(
        name="publications.mark_child",
        source=f"{_PROGRESS}:_CHILD",
        arguments=("publication_id", 1, 10, 1, "text"),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="publications.mark_created",
        source=f"{_PROGRESS}:_CREATED",
        arguments=("publication_id", 1, "text"),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="publications.mark_sent",
        source=f"{_PROGRESS}:_SENT",
        arguments=("publication_id", 1, 20.0),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="publications.is_ours",
        source=f"{_PROGRESS}:_IS_OURS",
        arguments=("publication_id", 1),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="publications.standing",
        source="services.publisher.result:_STANDING",
        arguments=("publication_id",),
        index="publications_pkey",
        also=("accounts_user_id_id_key",),
    ),
    CataloguedQuery(
        name="publications.take_unknown",
        source="services.publisher.late_probe:_TAKE",
        arguments=(10,),
        index="publications_unknown",
        also=("publications_pkey",),
    ),
    CataloguedQuery(
        name="publications.put_unknown_back",
        source="services.publisher.late_probe:_PUT_BACK",
        arguments=("publication_id", 15.0),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="publications.known_media",
        source="services.publisher.verify:_KNOWN_MEDIA",
        arguments=("instagram_user_id", "platform_media_ids"),
        index="accounts_instagram_user",
        also=("publications_account_page", "publications_archive_account_page"),
    ),
    CataloguedQuery(
        name="publications.move",
        source=f"{_TRANSITION}:_UPDATE",
        arguments=(
            *("publication_ids", "user_id", None, "publication_state", None, None, 0, 0, 0.0, 60.0, False, None, None),
            *(["scheduled", "held"], False),
        ),
        index="publications_pkey",
    ),
    CataloguedQuery(
        name="publication_attempts.end",
        source=f"{_TRANSITION}:_END_ATTEMPT",
        arguments=("publication_ids", [], [], "text", None),
        index="publication_attempts_pkey",
    ),
    CataloguedQuery(
        name="publications.held",
        source="shared.publications.release:_HELD",
        arguments=("user_id", "account_id"),
        index="publications_due",
    ),
    CataloguedQuery(
        name="publications.accounts_with_held",
        source="shared.publications.release_accounts:_WITH_HELD",
        arguments=("user_id", "account_ids"),
        index="publications_due",
    ),
    CataloguedQuery(
        name="publications.of_distribution",
        source="shared.publications.release:_OF_DISTRIBUTION",
        arguments=("user_id", "distribution_id"),
        index="publications_distribution_id_account_id_key",
    ),
    CataloguedQuery(
        name="publications.forget_wish",
        source="shared.publications.release:_FORGET_WISH",
        arguments=("user_id", "distribution_id"),
        index="publications_distribution_page",
    ),
    CataloguedQuery(
        name="publications.still_held",
        source="shared.publications.release:_STILL_HELD",
        arguments=("user_id", [], []),
        index="publications_user_id_id_key",
    ),
    CataloguedQuery(
        name="publications.read_wish",
        source="shared.publications.halt:_READ",
        arguments=_OWN,
        index="publications_user_id_id_key",
    ),
    CataloguedQuery(
        name="publications.stop_account",
        source=f"{_STOP}:_LOCK_OF_ACCOUNT",
        arguments=("user_id", "account_id"),
        index="publications_account_page",
    ),
    CataloguedQuery(
        name="publications.stop_posts",
        source=f"{_STOP}:_LOCK_OF_POSTS",
        arguments=("user_id", "publication_ids"),
        index="publications_post_page",
    ),
    CataloguedQuery(
        name="publications.stop_distribution",
        source=f"{_STOP}:_LOCK_OF_DISTRIBUTION",
        arguments=("user_id", "distribution_id"),
        index="publications_distribution_id_account_id_key",
    ),
    CataloguedQuery(
        name="publications.wish",
        source=f"{_STOP}:_WISH",
        arguments=("user_id", "publication_ids", "text"),
        index="publications_user_id_id_key",
    ),
    CataloguedQuery(
        name="publications.bring_forward",
        source="shared.publications.bring_forward:_BRING_FORWARD",
        arguments=(500, 0.0, 5.0, 60.0),
        index="publications_platform_down",
        ordered=True,
    ),
    # For the scheduler
    CataloguedQuery(
        name="publications.rescue",
        source=f"{_RESCUE}:_RESCUE",
        arguments=(1000, 60.0, 900.0),
        index="publications_rescue",
        also=("publications_publishing", "publications_pkey"),
    ),
    CataloguedQuery(
        name="publications.broker_emptied",
        source=f"{_RESCUE}:_BROKER_EMPTIED",
        arguments=(960.0, 1000),
        index="publications_next_attempt",
        also=("publications_publishing",),
    ),
    CataloguedQuery(
        name="publications.too_late",
        source="services.scheduler.mark_missed:_TOO_LATE",
        arguments=(200,),
        index="publications_waiting",
        ordered=True,
    ),
    CataloguedQuery(
        name="publications.unseen",
        source="services.scheduler.mark_missed:_UNSEEN",
        arguments=(200,),
        index="publications_held",
        ordered=True,
    ),
)
