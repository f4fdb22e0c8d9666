"""A database that has lost indexes, until the transaction is rolled back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from shared.database import Connection

_CONSTRAINT = """
SELECT conrelid::regclass::text AS table, conname AS name
FROM pg_constraint
WHERE conindid = to_regclass($1) AND contype IN ('p', 'u', 'x')
"""


@asynccontextmanager
async def rolled_back(connection: Connection) -> AsyncIterator[None]:
    """A transaction, or a savepoint inside one, of which nothing is left."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


@asynccontextmanager
async def without(connection: Connection, indexes: Iterable[str]) -> AsyncIterator[None]:
    """The database without these indexes, while the context lasts.

    An index that a constraint keeps goes with the constraint and with the foreign keys that refer to it.
    """
    async with rolled_back(connection):
        for index in indexes:
            constraint = await connection.fetchrow(_CONSTRAINT, index)
            if constraint is None:
                await connection.execute(f"DROP INDEX {index}")
            else:
                table, name = constraint
                await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE")
        yield
