"""Once an account is at risk no more: what waits for its halved cap goes on now, not at the end of that wait."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.database import Connection
from shared.outbox import record_events, replace
from shared.publications.publication import Publication
from shared.publications.states import Owner
from shared.publications.transition import event_for, message_for

# Served by the index publications_health_cap. Locked in the order in which all lock several.
_LIFT = """
    WITH waiting AS (
        SELECT id
        FROM publications
        WHERE user_id = $1 AND account_id = ANY($2::uuid[]) AND state = 'scheduled' AND reason = 'health_cap'
        ORDER BY id
        FOR UPDATE
    )
    UPDATE publications AS p SET
        reason = 'released',
        next_attempt_at = greatest(p.publish_at, now()),
        rescue_at = greatest(p.publish_at, now()) + $3::float8 * interval '1 second',
        rescues = 0,
        updated_at = now()
    FROM waiting
    WHERE p.id = waiting.id
    RETURNING p.*, now() AS read_at
"""


async def lift_health_cap(tx: Connection, account_ids: Sequence[UUID], *, user_id: UUID, rescue_after_s: float) -> int:
    """Let what waits for the halved caps of these accounts go on at once; their other caps are asked again.

    Args:
        tx: the transaction in which they are halved no more; it holds the locks on the accounts' rows.
        account_ids: the accounts.
        user_id: their tenant.
        rescue_after_s: seconds past due after which one counts as forgotten.

    Returns:
        How many go on.
    """
    rows = await tx.fetch(_LIFT, user_id, list(account_ids), rescue_after_s) if account_ids else []
    publications = sorted((Publication.from_row(row) for row in rows), key=lambda publication: publication.id)
    await record_events(tx, [event_for(publication, Owner.RELEASE, None) for publication in publications])
    await replace(tx, [message_for(publication) for publication in publications])
    return len(publications)
