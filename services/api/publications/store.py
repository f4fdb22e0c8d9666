"""SQL of publications as clients see them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.api.filters import filtered
from services.api.publications.contract import Attempt, Publication
from shared.database import Connection, Row
from shared.publications import PublicationState

_LIST = """
    SELECT id, post_id, account_id, distribution_id, publish_at, state, reason, max_lateness_s, revision,
           attempt, max_attempts, next_attempt_at, media_id, permalink, published_at, error, created_at, updated_at,
           false AS archived
    FROM publications
    WHERE user_id = $1
"""
_IN_GROUP = """account_id IN (
        SELECT account_id FROM group_members WHERE group_members.user_id = $1 AND group_members.group_id = {}
    )"""
_FIND = f"{_LIST} AND id = $2"
_LOCK = """
    SELECT id, post_id, account_id, state, step, container_id, publish_at
    FROM publications
    WHERE user_id = $1 AND id = $2
    FOR UPDATE
"""
# A retry whose time is past is wished for now, and a person waits for it. A publish call that was sent
# stays on record and is looked up first; one more may follow it, or a retry after two would end where they did.
_WISH_NOW = """
    UPDATE publications
    SET publish_at = greatest(publish_at, now()),
        priority = CASE WHEN publish_at <= now() THEN $3 ELSE priority END,
        publish_sends = least(publish_sends, 1)
    WHERE user_id = $1 AND id = $2
    RETURNING extract(epoch FROM publish_at - now())::float8
"""
_ATTEMPTS = """
    SELECT epoch, attempt, worker, started_at, ended_at, outcome, step, error
    FROM publication_attempts
    WHERE user_id = $1 AND publication_id = $2
    ORDER BY epoch DESC
    LIMIT $3
"""


def list_query(
    user_id: UUID,
    *,
    state: str | None,
    account_id: UUID | None,
    group_id: UUID | None,
    post_id: UUID | None,
    distribution_id: UUID | None,
    begin: datetime | None,
    end: datetime | None,
    allowed: Sequence[UUID] | None,
) -> tuple[str, list[Any]]:
    """The statement that selects a user's publications, in any order.

    Args:
        user_id: the tenant.
        state: one of theirs.
        account_id: one of the tenant's.
        group_id: accounts that are its members now.
        post_id: one of the tenant's.
        distribution_id: one of the tenant's.
        begin: first `publish_at`.
        end: the `publish_at` before which they end.
        allowed: the only accounts that are to be seen; None: all.
    """
    clauses: Mapping[str, Any] = {
        "state = {}": state,
        "account_id = {}": account_id,
        _IN_GROUP: group_id,
        "post_id = {}": post_id,
        "distribution_id = {}": distribution_id,
        "publish_at >= {}": begin,
        "publish_at < {}": end,
        "account_id = ANY({}::uuid[])": allowed,
    }
    return filtered(_LIST, user_id, clauses=clauses)


async def find(connection: Connection, publication_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's publications."""
    return await connection.fetchrow(_FIND, user_id, publication_id)


async def lock(tx: Connection, publication_id: UUID, *, user_id: UUID) -> Row | None:
    """Hold one of the user's publications as it is until the transaction ends."""
    return await tx.fetchrow(_LOCK, user_id, publication_id)


async def wish_now(tx: Connection, publication_id: UUID, *, user_id: UUID, priority: int) -> float:
    """Move a time that is past to now, in the lane `priority`; returns the seconds until it is due."""
    due_in_s: float = await tx.fetchval(_WISH_NOW, user_id, publication_id, priority)
    return due_in_s


async def attempts(connection: Connection, publication_id: UUID, *, user_id: UUID, limit: int) -> list[Row]:
    """The newest attempts of a publication."""
    return await connection.fetch(_ATTEMPTS, user_id, publication_id, limit)


def present(row: Row) -> Publication:
    """A publication as clients see it."""
    return Publication(**_shown(row) | {"state": PublicationState(row["state"])})


def present_attempt(row: Row) -> Attempt:
    """An attempt as clients see it."""
    return Attempt(**_shown(row))


def _shown(row: Row) -> dict[str, Any]:
    return dict(row) | {"error": None if row["error"] is None else json.loads(row["error"])}
