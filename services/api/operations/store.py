"""SQL of operations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from services.api.filters import filtered
from services.api.http.problems import KINDS, TYPE_PREFIX, Fault
from services.api.operations.contract import (
    Operation,
    OperationProblem,
    OperationResult,
    OperationState,
    OperationType,
)
from shared.database import Connection, Row
from shared.security import SealedToken

# What an import made may be ten thousand ids: a list leaves them out.
_LIST = """SELECT id, type, state, done, total, result - 'accounts' AS result, problem, created_at, updated_at,
           finished_at
    FROM operations
    WHERE user_id = $1
"""
_FIND = """
    SELECT id, type, state, done, total, result, problem, created_at, updated_at, finished_at
    FROM operations
    WHERE user_id = $1 AND id = $2
"""
_INSERT = """
    INSERT INTO operations (id, user_id, type, state, total, key_id, input)
    VALUES ($1, $2, $3, 'pending', $4, $5, $6)
"""


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A problem as the worker left it."""

    code: str
    detail: str
    errors: list[Fault] = []


def list_query(user_id: UUID, *, state: str | None, type: str | None) -> tuple[str, list[Any]]:  # noqa: A002 - the filter's name
    """The statement that selects a user's operations; pages of it are served by the index `operations_page`."""
    return filtered(_LIST, user_id, clauses={"state = {}": state, "type = {}": type})


async def find(connection: Connection, operation_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's operations."""
    return await connection.fetchrow(_FIND, user_id, operation_id)


async def read(connection: Connection, operation_id: UUID, *, user_id: UUID) -> Operation:
    """One that is known to be there, as clients see it."""
    row = await find(connection, operation_id, user_id=user_id)
    if row is None:
        raise LookupError("the operation is gone")
    return present(row)


async def insert(
    tx: Connection, operation_id: UUID, *, type_: str, total: int, sealed: SealedToken, user_id: UUID
) -> None:
    """Make an operation whose input is kept, encrypted, until it has ended."""
    await tx.execute(_INSERT, operation_id, user_id, type_, total, sealed.key_id, sealed.ciphertext)


def present(row: Row) -> Operation:
    """An operation as clients see it."""
    state = OperationState(row["state"])
    done, total = row["done"], row["total"]
    result, problem = row["result"], row["problem"]
    return Operation(
        id=row["id"],
        type=OperationType(row["type"]),
        state=state,
        done=done,
        total=total,
        progress=1.0 if state is OperationState.SUCCEEDED else min(done / total, 1.0) if total else 0.0,
        result=None if result is None else msgspec.json.decode(result, type=OperationResult),
        problem=None if problem is None else _present_problem(problem),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        finished_at=row["finished_at"],
    )


def _present_problem(text: str) -> OperationProblem:
    stored = msgspec.json.decode(text, type=_Stored)
    kind = KINDS[stored.code]
    return OperationProblem(
        type=f"{TYPE_PREFIX}{stored.code}",
        title=kind.title,
        status=kind.status,
        detail=stored.detail,
        code=stored.code,
        errors=stored.errors,
        retryable=kind.retryable,
    )
