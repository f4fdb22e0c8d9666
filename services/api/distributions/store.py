"""SQL of distributions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.api.distributions.contract import Distribution, DistributionState, WindowBody
from services.api.filters import filtered
from shared.database import Connection, Row

# By the row and the clock alone: to ask ten thousand publications of each would cost a list its speed.
_STATE = """CASE WHEN canceled_at IS NOT NULL THEN 'canceled'
                WHEN paused_at IS NOT NULL THEN 'paused'
                WHEN window_from > now() THEN 'planned'
                WHEN window_to >= now() THEN 'running'
                ELSE 'ended' END"""
_LIST = f"""
    SELECT id, post_id, group_id, schedule_id, {_STATE} AS state, window_from, window_to, min_gap_s, max_lateness_s,
           seed, paused_at, canceled_at, created_at,
           (SELECT jsonb_object_agg(state, number)
            FROM (SELECT state, count(*) AS number FROM publications
                  WHERE publications.user_id = distributions.user_id
                    AND publications.distribution_id = distributions.id
                  GROUP BY state) AS counted) AS counts,
           archived_counts
    FROM distributions
    WHERE user_id = $1
"""  # noqa: S608 - of constants
_FIND = f"{_LIST} AND id = $2"
_LOCK = """
    SELECT post_id, min_gap_s, paused_at, canceled_at
    FROM distributions
    WHERE user_id = $1 AND id = $2
    FOR NO KEY UPDATE
"""
_PAUSE = "UPDATE distributions SET paused_at = coalesce(paused_at, now()) WHERE user_id = $1 AND id = $2"
_RESUME = "UPDATE distributions SET paused_at = NULL WHERE user_id = $1 AND id = $2"
# What a person retries of it later is not held by a pause that nobody could end.
_CANCEL = """
    UPDATE distributions
    SET canceled_at = coalesce(canceled_at, now()), paused_at = NULL
    WHERE user_id = $1 AND id = $2
"""
_FAILED = """
    SELECT id, account_id, step
    FROM publications
    WHERE user_id = $1 AND distribution_id = $2 AND state IN ('failed', 'missed')
    ORDER BY id
    FOR UPDATE
"""
# The gap of the plan holds for what comes late, too. A publish call that was sent is looked up first; one more may
# follow it.
_WISH_NOW = """
    UPDATE publications
    SET publish_at = greatest(publish_at, now() + (wished.place - 1) * $3::float8 * interval '1 second'),
        publish_sends = least(publish_sends, 1)
    FROM unnest($2::uuid[]) WITH ORDINALITY AS wished (id, place)
    WHERE publications.user_id = $1 AND publications.id = wished.id
"""


def list_query(
    user_id: UUID, *, post_id: UUID | None, group_id: UUID | None, schedule_id: UUID | None, state: str | None
) -> tuple[str, list[Any]]:
    """The statement that selects a user's distributions."""
    clauses = {
        "post_id = {}": post_id,
        "group_id = {}": group_id,
        "schedule_id = {}": schedule_id,
        _STATE + " = {}": state,
    }
    return filtered(_LIST, user_id, clauses=clauses)


async def find(connection: Connection, distribution_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's distributions."""
    return await connection.fetchrow(_FIND, user_id, distribution_id)


async def lock(tx: Connection, distribution_id: UUID, *, user_id: UUID) -> Row | None:
    """Hold one of the user's distributions as it is until the transaction ends. After the post, before publications."""
    return await tx.fetchrow(_LOCK, user_id, distribution_id)


async def pause(tx: Connection, distribution_id: UUID, *, user_id: UUID) -> None:
    """Let it hold its publications from now on."""
    await tx.execute(_PAUSE, user_id, distribution_id)


async def resume(tx: Connection, distribution_id: UUID, *, user_id: UUID) -> None:
    """Let it hold its publications no more."""
    await tx.execute(_RESUME, user_id, distribution_id)


async def cancel(tx: Connection, distribution_id: UUID, *, user_id: UUID) -> None:
    """Mark it canceled."""
    await tx.execute(_CANCEL, user_id, distribution_id)


async def lock_failed(tx: Connection, distribution_id: UUID, *, user_id: UUID) -> list[Row]:
    """Its failed and missed publications, held as they are until the transaction ends."""
    return await tx.fetch(_FAILED, user_id, distribution_id)


async def wish_now(tx: Connection, publication_ids: Sequence[UUID], *, user_id: UUID, gap_s: float) -> None:
    """Move times that are past to now and after, one gap after the other."""
    await tx.execute(_WISH_NOW, user_id, publication_ids, gap_s)


def present(row: Row) -> Distribution:
    """A distribution as clients see it."""
    hidden = {"counts", "archived_counts", "state", "window_from", "window_to"}
    counts = Counter(json.loads(row["counts"] or "{}")) + Counter(json.loads(row["archived_counts"]))
    return Distribution(
        **{name: value for name, value in row.items() if name not in hidden},
        state=DistributionState(row["state"]),
        window=WindowBody(begin=row["window_from"], end=row["window_to"]),
        counts=dict(counts),
    )
