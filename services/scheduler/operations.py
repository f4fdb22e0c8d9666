"""SQL of working on operations: who has it, how far it is, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from shared.database import Connection, Pool
from shared.errors import InstaDistroError
from shared.outbox import Event, record_events
from shared.security import SealedToken

# One worker at a time, while its transaction lasts. No lock on the row: progress is told by another connection.
_TAKE = "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text, 6))"
_INPUT = """
    SELECT key_id, input
    FROM operations
    WHERE user_id = $1 AND id = $2 AND finished_at IS NULL
"""
_PROGRESS = """
    UPDATE operations
    SET state = 'running', done = $3, updated_at = now()
    WHERE user_id = $1 AND id = $2 AND finished_at IS NULL
"""
_SUCCEED = """
    UPDATE operations
    SET state = 'succeeded', done = coalesce(total, done), result = $3::jsonb, key_id = NULL, input = NULL,
        updated_at = now(), finished_at = now()
    WHERE user_id = $1 AND id = $2 AND finished_at IS NULL
    RETURNING id
"""
_FAIL = """
    UPDATE operations
    SET state = 'failed', problem = $3::jsonb, key_id = NULL, input = NULL, updated_at = now(), finished_at = now()
    WHERE user_id = $1 AND id = $2 AND finished_at IS NULL
    RETURNING id
"""


class OperationEndedError(InstaDistroError):
    """Somebody else has ended the operation: its job was given up while a worker was still at it."""

    def __init__(self) -> None:
        super().__init__("the operation has ended already")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of a tenant."""

    id: UUID
    user_id: UUID


async def take(tx: Connection, operation: Operation) -> bool:
    """Have the operation to oneself until the transaction ends; False: another is at it."""
    taken: bool = await tx.fetchval(_TAKE, str(operation.id))
    return taken


async def read_input(tx: Connection, operation: Operation) -> SealedToken | None:
    """What is to be worked on; None: it has ended, or is gone."""
    row = await tx.fetchrow(_INPUT, operation.user_id, operation.id)
    return None if row is None or row["input"] is None else SealedToken(key_id=row["key_id"], ciphertext=row["input"])


async def tell_progress(pool: Pool, operation: Operation, done: int) -> None:
    """Let who watches see how far it is, whatever becomes of the work's own transaction."""
    await pool.execute(_PROGRESS, operation.user_id, operation.id, done)


async def succeed(tx: Connection, operation: Operation, result: Mapping[str, Any]) -> None:
    """End it well, in the transaction of what was done; its input is forgotten.

    Raises:
        OperationEndedError: it was ended meanwhile. Let the transaction fail: nothing of it may stand.
    """
    text = msgspec.json.encode(result).decode()
    if await tx.fetchval(_SUCCEED, operation.user_id, operation.id, text) is None:
        raise OperationEndedError


async def fail(pool: Pool, operation: Operation, problem: Mapping[str, Any], *, event: str) -> None:
    """End it with what stood in its way, and say so by an event; its input is forgotten. Once it has ended it stays so.

    Args:
        pool: the database.
        operation: which.
        problem: `code`, `detail` and, if there are any, `errors`: what the gateway tells.
        event: the event's type.
    """
    async with pool.acquire() as connection, connection.transaction():
        text = msgspec.json.encode(problem).decode()
        if await connection.fetchval(_FAIL, operation.user_id, operation.id, text) is None:
            return
        payload = {"operation_id": str(operation.id), "code": problem["code"]}
        await record_events(
            connection, [Event(user_id=operation.user_id, type=event, subject=operation.user_id, payload=payload)]
        )
