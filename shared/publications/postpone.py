"""Putting a publication off that could be claimed but may not go yet. It costs no attempt."""

from __future__ import annotations

from uuid import UUID

from shared.accounts import Slot
from shared.database import Connection
from shared.outbox import record_events
from shared.outbox import replace as replace_messages
from shared.publications.publication import Publication
from shared.publications.states import Owner
from shared.publications.transition import event_for, message_for

_POSTPONE = """
    UPDATE publications
    SET reason = $3, next_attempt_at = $4, rescue_at = $4 + $5::float8 * interval '1 second', rescues = 0,
        updated_at = now()
    WHERE id = $1 AND revision = $2 AND state = 'scheduled' AND next_attempt_at < $4
    RETURNING *, now() AS read_at
"""


async def postpone(
    tx: Connection, publication_id: UUID, slot: Slot, *, revision: int, rescue_after_s: float
) -> Publication | None:
    """Let a scheduled publication wait for a slot: row, event and the message that brings it back, together.

    Args:
        tx: the caller's transaction.
        publication_id: the row.
        slot: until when, and why.
        revision: of the row as the caller knows it.
        rescue_after_s: seconds past the slot after which it counts as forgotten.

    Returns:
        The row as it is now; None if it is another revision, was taken, or waits for longer already.
    """
    row = await tx.fetchrow(_POSTPONE, publication_id, revision, slot.reason, slot.at, rescue_after_s)
    if row is None:
        return None
    publication = Publication.from_row(row)
    await record_events(tx, [event_for(publication, Owner.PUBLISHER, None)])
    await replace_messages(tx, [message_for(publication)])
    return publication
