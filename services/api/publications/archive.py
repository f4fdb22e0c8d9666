"""SQL of archived publications: what ended long ago, and is only read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from services.api.filters import filtered
from services.api.http import ProblemError, invalid
from services.api.publications.contract import Attempt, PublicationSort, PublicationsQuery
from shared.database import Connection, Row

_LIST = """
    SELECT id, post_id, account_id, distribution_id, publish_at, state, reason, max_lateness_s, revision,
           attempt, max_attempts, next_attempt_at, media_id, permalink, published_at, error, created_at, updated_at,
           true AS archived
    FROM publications_archive
    WHERE user_id = $1
"""
_FIND = f"{_LIST} AND id = $2"
_ATTEMPTS = "SELECT attempts FROM publications_archive WHERE user_id = $1 AND id = $2"
# Every one of these would have the whole archive read.
_NOT_THERE = {"state": "state", "group_id": "group_id", "begin": "from", "end": "to"}
_SORTS = (PublicationSort.NEWEST, PublicationSort.OLDEST)


def list_query(
    user_id: UUID,
    *,
    account_id: UUID | None,
    post_id: UUID | None,
    distribution_id: UUID | None,
    allowed: Sequence[UUID] | None,
) -> tuple[str, list[Any]]:
    """The statement that selects a user's archived publications; `allowed`: only of these accounts."""
    clauses = {
        "account_id = {}": account_id,
        "post_id = {}": post_id,
        "distribution_id = {}": distribution_id,
        "account_id = ANY({}::uuid[])": allowed,
    }
    return filtered(_LIST, user_id, clauses=clauses)


def require_listable(query: PublicationsQuery) -> None:
    """Go on only with what the archive is listed by.

    Raises:
        ProblemError: another filter, or another order.
    """
    message = "The archive is listed by account_id, post_id or distribution_id, in the order of created_at."
    for name, path in _NOT_THERE.items():
        if getattr(query, name) is not None:
            raise invalid("invalid_value", message, path=path)
    if query.sort not in _SORTS:
        raise invalid("invalid_value", message, path="sort")


async def find(connection: Connection, publication_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's archived publications. Look among the others first: it may be moved meanwhile."""
    return await connection.fetchrow(_FIND, user_id, publication_id)


async def attempts(connection: Connection, publication_id: UUID, *, user_id: UUID) -> list[Attempt]:
    """The newest attempts of an archived publication."""
    text = await connection.fetchval(_ATTEMPTS, user_id, publication_id)
    return [] if text is None else msgspec.json.decode(text, type=list[Attempt])


def refuse_change() -> ProblemError:
    """What is said of a change to what is archived, also if it was there a moment ago: nothing else removes one."""
    return ProblemError(
        "state_conflict", "The publication is archived: it ended long ago and cannot be changed. Publish its post anew."
    )
