"""Which users there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Connection, Row

# Users are few.
_LIST = """
    SELECT users.id, users.email, users.created_at,
           (SELECT count(*) FROM accounts WHERE accounts.user_id = users.id AND removed_at IS NULL) AS accounts
    FROM users
    WHERE $1::text IS NULL OR lower(email) = lower($1)
    ORDER BY lower(email)
"""


@dataclass(frozen=True, kw_only=True)
class User:
    """A tenant, as an operator sees it."""

    id: UUID
    email: str
    created_at: datetime
    accounts: int  # that were not removed

    @classmethod
    def from_row(cls, row: Row) -> User:
        """Read a row of the list."""
        return cls(**row)


async def list_users(connection: Connection) -> list[User]:
    """All users, by address."""
    return [User.from_row(row) for row in await connection.fetch(_LIST, None)]


async def find_user(connection: Connection, email: str) -> User | None:
    """The user of an address, however it is capitalised."""
    row = await connection.fetchrow(_LIST, email)
    return None if row is None else User.from_row(row)
