"""After a restore: what waits may have been published since the backup, so each publication is looked up first.

The row says so as any row does whose publish call was sent, with a container that nobody knows. So it cannot be missed,
canceled or published before it was looked up, whatever else happens to it.
"""

from __future__ import annotations

from datetime import datetime

from shared.database import Connection

#: `container_id` where a call may have been made for a container that this database never knew.
UNKNOWN_CONTAINER = ""
#: The reason of a publication that is looked up after a restore, and of what the look could not tell.
RESTORED = "restored"

# Held ones too: the claim asks every gate again. One that a worker had is taken over from it. By publications_waiting.
_LOOK_FIRST = """
    UPDATE publications
    SET state = CASE WHEN state = 'held' THEN 'scheduled' ELSE state END,
        reason = CASE WHEN state = 'publishing' THEN NULL ELSE 'restored' END,
        lease_until = CASE WHEN state = 'publishing' THEN now() END,
        step = 'publish_sent',
        container_id = '',
        child_container_ids = NULL,
        container_created_at = least(container_created_at, $1),
        publish_sent_at = now(),
        publish_sends = 1,
        next_attempt_at = now(),
        rescue_at = now(),
        rescues = 0,
        updated_at = now()
    WHERE state IN ('scheduled', 'held', 'publishing')
"""
_WAKE = "UPDATE outbox SET due_at = now() WHERE type = 'post:publish' AND due_at > now()"


async def look_up_first(tx: Connection, *, since: datetime) -> int:
    """Let every publication that is not ended be looked up before anything else is done with it, whenever it is due.

    Call it while no service runs.

    Args:
        tx: the transaction that lets the services write again, or none ever did.
        since: when the backup was made, by the database's clock.

    Returns:
        How many.
    """
    told = await tx.execute(_LOOK_FIRST, since)
    await tx.execute(_WAKE)
    return int(told.rpartition(" ")[2])
