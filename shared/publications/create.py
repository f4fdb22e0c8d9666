"""Making publications: the rows and the messages that wake them, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.database import Connection
from shared.jobs import JobType, get_job_options_by_type
from shared.outbox import append
from shared.publications.job import publish_messages
from shared.publications.plan_check import plan_media_check
from shared.publications.states import LIVE_OR_PUBLISHED

#: How late a publication may become when its maker said nothing: six hours.
DEFAULT_MAX_LATENESS_S = 21_600

_DUPLICATES = """
    SELECT DISTINCT ON (account_id) account_id, id
    FROM publications
    WHERE account_id = ANY($1::uuid[]) AND post_id = $2 AND user_id = $3 AND state = ANY($4::text[])
    ORDER BY account_id, created_at
"""
# Most posts have nothing in the archive, and need not look for it there.
_IS_ARCHIVED = "SELECT archived_counts ? 'published' FROM posts WHERE user_id = $1 AND id = $2"
_ARCHIVED_DUPLICATES = """
    SELECT DISTINCT ON (account_id) account_id, id
    FROM publications_archive
    WHERE account_id = ANY($1::uuid[]) AND post_id = $2 AND user_id = $3 AND state = 'published'
    ORDER BY account_id, created_at
"""
_INSERT = """
    INSERT INTO publications (
        id, user_id, account_id, post_id, distribution_id, state, priority,
        publish_at, next_attempt_at, rescue_at, max_lateness_s, max_attempts
    )
    SELECT id, $3, account_id, $4, $5, 'scheduled', $6,
           publish_at, publish_at, publish_at + $9::float8 * interval '1 second', $7, $8
    FROM unnest($1::uuid[], $2::uuid[], $10::timestamptz[]) AS draft (id, account_id, publish_at)
"""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One publication to be made."""

    account_id: UUID
    publish_at: datetime  # aware


async def find_duplicates(
    tx: Connection, *, user_id: UUID, post_id: UUID, account_ids: Sequence[UUID]
) -> dict[UUID, UUID]:
    """Accounts on which this post is live or on its way, with the publication that is. Lock the post's row first."""
    states = [state.value for state in sorted(LIVE_OR_PUBLISHED)]
    rows = await tx.fetch(_DUPLICATES, list(account_ids), post_id, user_id, states)
    if await tx.fetchval(_IS_ARCHIVED, user_id, post_id):
        # What is both is named by what is not archived.
        rows = [*await tx.fetch(_ARCHIVED_DUPLICATES, list(account_ids), post_id, user_id), *rows]
    return {row["account_id"]: row["id"] for row in rows}


async def create_publications(
    tx: Connection,
    drafts: Sequence[Draft],
    *,
    user_id: UUID,
    post_id: UUID,
    distribution_id: UUID | None,
    planned: bool,
    max_lateness_s: int | None,
    rescue_after_s: float,
) -> list[UUID]:
    """Write publications and one outbox row each, due when they are, and the check of the media before that.

    Args:
        tx: the caller's transaction, which holds the lock on the post's row.
        drafts: accounts and times; accounts are the user's own.
        user_id: the tenant.
        post_id: what to publish.
        distribution_id: the distribution that makes them, if one does.
        planned: nobody waits for them: they stand in the normal lane.
        max_lateness_s: seconds; None means never missed.
        rescue_after_s: seconds past due after which one counts as forgotten.

    Returns:
        Their ids, in the order of the drafts.
    """
    options = get_job_options_by_type(JobType.POST_PUBLISH, planned=planned)
    ids, times = [uuid7() for _ in drafts], [draft.publish_at for draft in drafts]
    await tx.execute(
        _INSERT,
        ids,
        [draft.account_id for draft in drafts],
        user_id,
        post_id,
        distribution_id,
        int(options.priority),
        max_lateness_s,
        options.attempts,
        rescue_after_s,
        times,
    )
    due = list(zip(ids, times, strict=True))
    await append(tx, publish_messages(due, revision=1, priority=options.priority))
    if planned:
        await plan_media_check(tx, times, user_id=user_id, post_id=post_id)
    return ids
