"""Which post an occurrence publishes: the schedule's own, or the next of its queue."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.alerts import Alert, AlertCode, Severity, raise_alerts, resolve_alerts
from shared.database import Connection, Row
from shared.errors import InstaDistroError
from shared.schedules import OccurrenceReason

# By post_queues_user_id_id_key. Schedules that share a queue take from it one after the other.
_LOCK_QUEUE = "SELECT id, name, on_empty FROM post_queues WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE"
# By post_queue_items_pkey. A post that is removed while its lock is waited for is passed over, too.
_FIRST = """
    SELECT items.position, items.post_id
    FROM post_queue_items AS items
    JOIN posts ON posts.user_id = items.user_id AND posts.id = items.post_id
    WHERE items.queue_id = $2 AND items.user_id = $1 AND posts.removed_at IS NULL
    ORDER BY items.position
    LIMIT 1
    FOR UPDATE OF posts
"""
# With those before it whose posts were removed.
_TAKE = "DELETE FROM post_queue_items WHERE queue_id = $2 AND user_id = $1 AND position <= $3"
_PUT_LAST = "INSERT INTO post_queue_items (queue_id, user_id, post_id) VALUES ($2, $1, $3)"
_LOCK_POST = "SELECT id FROM posts WHERE user_id = $1 AND id = $2 AND removed_at IS NULL FOR UPDATE"


class ScheduleBrokenError(InstaDistroError):
    """The schedule lacks what it needs. Pause it; the text tells a person what to do."""

    def __init__(self, reason: OccurrenceReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class ChosenPost:
    """The post of an occurrence; its row is locked."""

    post_id: UUID
    repeats: bool  # it is meant to be published on the same accounts again
    queue_id: UUID | None = None  # where it waits
    position: int | None = None


async def choose_post(tx: Connection, schedule: Row) -> ChosenPost | None:
    """Lock the post that is next, and its queue before it; None if the queue is empty, of which an alert tells.

    Raises:
        ScheduleBrokenError: the post or the queue was removed.
    """
    user_id: UUID = schedule["user_id"]
    if schedule["post_queue_id"] is not None:
        return await _first_of_queue(tx, schedule["post_queue_id"], user_id=user_id)
    if schedule["post_id"] is None:
        raise ScheduleBrokenError(
            OccurrenceReason.QUEUE_GONE, "its post queue was removed; give it a post or another queue."
        )
    if await tx.fetchval(_LOCK_POST, user_id, schedule["post_id"]) is None:
        raise ScheduleBrokenError(OccurrenceReason.POST_GONE, "its post was removed; give it another post or a queue.")
    return ChosenPost(post_id=schedule["post_id"], repeats=True)


async def take_post(tx: Connection, chosen: ChosenPost, *, user_id: UUID) -> None:
    """Take the post out of its queue, or put it at the end where the queue begins anew."""
    if chosen.queue_id is None:
        return
    await tx.execute(_TAKE, user_id, chosen.queue_id, chosen.position)
    if chosen.repeats:
        await tx.execute(_PUT_LAST, user_id, chosen.queue_id, chosen.post_id)


async def _first_of_queue(tx: Connection, queue_id: UUID, *, user_id: UUID) -> ChosenPost | None:
    queue = await tx.fetchrow(_LOCK_QUEUE, user_id, queue_id)
    if queue is None:
        raise ScheduleBrokenError(
            OccurrenceReason.QUEUE_GONE, "its post queue was removed; give it a post or another queue."
        )
    first = await tx.fetchrow(_FIRST, user_id, queue_id)
    if first is None:
        await raise_alerts(tx, [_empty(queue, user_id=user_id)])
        return None
    await resolve_alerts(tx, AlertCode.QUEUE_EMPTY, [queue_id], user_id=user_id)
    return ChosenPost(
        post_id=first["post_id"],
        repeats=queue["on_empty"] == "repeat",
        queue_id=queue_id,
        position=first["position"],
    )


def _empty(queue: Row, *, user_id: UUID) -> Alert:
    return Alert(
        user_id=user_id,
        code=AlertCode.QUEUE_EMPTY,
        severity=Severity.WARNING,
        subject_type="post_queue",
        subject_id=queue["id"],
        text=f"The post queue {queue['name']!r} is empty: a schedule was due and published nothing.",
        advice="Add posts to the queue, or pause the schedules that take from it.",
    )
