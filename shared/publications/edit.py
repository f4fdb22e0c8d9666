"""Edits by a person: what waits goes on as a new revision, with nothing left of what was prepared for the old one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.database import Connection
from shared.outbox import replace
from shared.publications.job import publish_message
from shared.publications.states import PublicationState

# When it may be tried next stays as it is: what waits for the account or the platform waits whatever the post says.
_REVISE = """
    UPDATE publications SET
        revision = revision + 1,
        attempt = 0,
        rescue_at = greatest(next_attempt_at, now()) + $3::float8 * interval '1 second',
        rescues = 0,
        step = NULL,
        container_id = NULL,
        child_container_ids = NULL,
        container_created_at = NULL,
        publish_sent_at = NULL,
        publish_sends = 0,
        updated_at = now()
    WHERE user_id = $1 AND id = ANY($2::uuid[]) AND lease_until IS NULL AND step IS DISTINCT FROM 'publish_sent'
    RETURNING id, revision, priority, state, next_attempt_at
"""


async def revise(tx: Connection, publication_ids: Sequence[UUID], *, user_id: UUID, rescue_after_s: float) -> int:
    """Let publications that wait be published with what their post says now, and never with what it said before.

    Messages of the old revision are void; containers that were made of the old content are forgotten.

    Args:
        tx: the transaction that changes the post. It holds the locks on the post and, in the order of their ids, on
            these rows.
        publication_ids: the rows, scheduled or held. One that a worker has, or whose publish call was sent, is left as
            it is.
        user_id: the tenant.
        rescue_after_s: seconds past due after which one counts as forgotten.

    Returns:
        How many have a new revision.
    """
    rows = await tx.fetch(_REVISE, user_id, list(publication_ids), rescue_after_s)
    messages = [
        publish_message(row["id"], revision=row["revision"], priority=row["priority"], due_at=row["next_attempt_at"])
        for row in rows
        if row["state"] == PublicationState.SCHEDULED  # what is held gets its message when it is released
    ]
    await replace(tx, messages)
    return len(rows)
