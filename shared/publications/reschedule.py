"""Moving a publication that waits to another time, by a person's wish."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.database import Connection
from shared.jobs import JobType, get_job_options_by_type
from shared.outbox import record_events, replace
from shared.publications.publication import Publication
from shared.publications.states import Owner, PublicationState
from shared.publications.transition import event_for, message_for

# A container would have to live until the new time, and tries are counted anew: it begins from the beginning.
_RESCHEDULE = """
    UPDATE publications SET
        publish_at = $3,
        max_lateness_s = $4,
        priority = CASE WHEN $3 > now() THEN $5::smallint ELSE $6::smallint END,
        revision = revision + 1,
        attempt = 0,
        reason = CASE WHEN state = 'scheduled' THEN 'rescheduled_by_user' ELSE reason END,
        error = NULL,
        next_attempt_at = $3,
        rescue_at = greatest($3, now()) + $7::float8 * interval '1 second',
        rescues = 0,
        step = NULL,
        container_id = NULL,
        child_container_ids = NULL,
        container_created_at = NULL,
        updated_at = now()
    WHERE user_id = $1 AND id = $2 AND state IN ('scheduled', 'held') AND step IS DISTINCT FROM 'publish_sent'
    RETURNING *, now() AS read_at
"""


async def reschedule(
    tx: Connection,
    publication_id: UUID,
    publish_at: datetime,
    *,
    max_lateness_s: int | None,
    user_id: UUID,
    rescue_after_s: float,
) -> Publication | None:
    """Let a publication that waits be due at another time: row, event and the message that wakes it, together.

    What is held stays so, and is due at the new time once it is released.

    Args:
        tx: the caller's transaction.
        publication_id: the row.
        publish_at: when; aware.
        max_lateness_s: seconds; None means never missed.
        user_id: the tenant.
        rescue_after_s: seconds past due after which it counts as forgotten.

    Returns:
        The row as it is now; None if it does not wait, or may be live.
    """
    lanes = [get_job_options_by_type(JobType.POST_PUBLISH, planned=planned).priority for planned in (True, False)]
    row = await tx.fetchrow(
        _RESCHEDULE, user_id, publication_id, publish_at, max_lateness_s, *map(int, lanes), rescue_after_s
    )
    if row is None:
        return None
    publication = Publication.from_row(row)
    await record_events(tx, [event_for(publication, Owner.API, None)])
    if publication.state is PublicationState.SCHEDULED:
        await replace(tx, [message_for(publication)])
    return publication
