"""Connections with a deadline; a database that is away becomes one kind of error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from shared.database import Connection, Pool
from shared.errors import NotReadyError

_ACQUIRE_S = 5.0
# Away, stopping, out of room, or in another's way: the same request may well succeed later.
_PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver says when a connection is cut in the middle of its exchange
    OSError,  # TimeoutError is one
)


@asynccontextmanager
async def connect(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for reading.

    Raises:
        NotReadyError: none came within 5 s, or the database went away meanwhile. Answer 503.
    """
    try:
        acquired = await pool.acquire(timeout=_ACQUIRE_S)
    except (asyncpg.PostgresError, *_PASSING) as error:  # whatever keeps us out, no request is to blame for it
        raise NotReadyError(f"PostgreSQL gives no connection: {error or type(error).__name__}") from error
    try:
        try:
            yield acquired
        finally:
            await pool.release(acquired)
    except _PASSING as error:
        raise NotReadyError(f"PostgreSQL failed: {error or type(error).__name__}") from error


@asynccontextmanager
async def begin(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction, committed if nothing is raised.

    Raises:
        NotReadyError: as `connect`. Whether a commit that was cut off took place is not known.
    """
    async with connect(pool) as connection, connection.transaction():
        yield connection
