"""When the media of a post are looked at again before it is due: one `media:check` waits per post."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.database import Connection
from shared.jobs import CheckMedia, JobType, new_job, to_outbox
from shared.outbox import replace

#: How long before a publication is due its media are looked at, in seconds: time for a person to mend the way there.
CHECK_AHEAD_S = 1_800
# One look speaks for all publications that follow soon: a distribution with one a minute needs no look a minute.
_PAUSE_S = 600

# The lock waits for a relay that is just sending the check that waits: once sent, it stands for nothing any more.
_NEXT = """
    WITH waiting AS (SELECT due_at FROM outbox WHERE type = $1 AND subject = $2 FOR UPDATE)
    SELECT wished.due_at
    FROM (
        SELECT min(greatest(publish_at - $4::float8 * interval '1 second', now() + $5::float8 * interval '1 second'))
        FROM unnest($3::timestamptz[]) AS wish (publish_at)
        WHERE publish_at > now() + $4::float8 * interval '1 second'
    ) AS wished (due_at)
    LEFT JOIN waiting ON true
    WHERE wished.due_at IS NOT NULL AND (waiting.due_at IS NULL OR waiting.due_at > wished.due_at)
"""


async def plan_media_check(tx: Connection, times: Sequence[datetime], *, user_id: UUID, post_id: UUID) -> None:
    """Have the media of a post looked at half an hour before the first of these times that is further ahead than that.

    A check that waits already and comes earlier stays as it is.

    Args:
        tx: the caller's transaction, which holds the lock on the post's row.
        times: when publications of the post are due; aware.
        user_id: the tenant.
        post_id: the post.
    """
    due_at = await tx.fetchval(_NEXT, JobType.MEDIA_CHECK, str(post_id), list(times), CHECK_AHEAD_S, _PAUSE_S)
    if due_at is not None:
        job = new_job(JobType.MEDIA_CHECK, CheckMedia(user_id=user_id, post_id=post_id), subject=str(post_id))
        await replace(tx, [to_outbox(job, due_at=due_at)])
