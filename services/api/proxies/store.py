"""SQL of proxies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.api.filters import filtered
from services.api.proxies.contract import Proxy, ProxyStatus
from shared.accounts import EGRESS_COLUMNS
from shared.database import Connection, Row
from shared.security import SealedToken

_LIST = """
    SELECT id, name, scheme, host, port, sealed IS NOT NULL AS has_credentials, state AS status,
           state_reason AS status_reason, latency_ms, checked_at, created_at, updated_at
    FROM proxies
    WHERE user_id = $1
"""
_FIND = f"{_LIST} AND id = $2"
_LOCK = f"{_FIND} FOR UPDATE"
_FIND_BY_NAME = "SELECT id FROM proxies WHERE user_id = $1 AND name = $2"
_EGRESS = f"SELECT {EGRESS_COLUMNS} FROM proxies WHERE user_id = $1 AND id = $2"  # noqa: S608 - built of constants alone
_INSERT = """
    INSERT INTO proxies (id, user_id, name, scheme, host, port, key_id, sealed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (user_id, name) DO NOTHING
    RETURNING id
"""
_RENAME = "UPDATE proxies SET name = $3, updated_at = now() WHERE user_id = $1 AND id = $2"
# Another way out: what was known of the old one says nothing of it, and it is looked at within seconds.
_REDIRECT = """
    UPDATE proxies
    SET scheme = $3, host = $4, port = $5, state = 'unknown', state_reason = NULL, failures = 0, latency_ms = NULL,
        checked_at = NULL, next_check_at = now(), updated_at = now()
    WHERE user_id = $1 AND id = $2
"""
_SEAL = "UPDATE proxies SET key_id = $3, sealed = $4 WHERE user_id = $1 AND id = $2"
_USERS = """
    SELECT id, username
    FROM accounts
    WHERE user_id = $1 AND proxy_id = $2 AND removed_at IS NULL
    ORDER BY id
    LIMIT $3
"""
_COUNT_USERS = "SELECT count(*) FROM accounts WHERE user_id = $1 AND proxy_id = $2 AND removed_at IS NULL"
_DELETE = "DELETE FROM proxies WHERE user_id = $1 AND id = $2"


@dataclass(frozen=True, kw_only=True)
class ProxyWrite:
    """What a proxy's row shall hold, but for its credentials."""

    name: str
    scheme: str
    host: str
    port: int


def list_query(user_id: UUID, *, status: str | None = None) -> tuple[str, list[Any]]:
    """The statement that selects a user's proxies; pages of it are served by the index `proxies_page`."""
    return filtered(_LIST, user_id, clauses={"state = {}": status})


async def find(connection: Connection, proxy_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's proxies."""
    return await connection.fetchrow(_FIND, user_id, proxy_id)


async def lock(tx: Connection, proxy_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's proxies, as it stays until the transaction ends; no account begins to use it meanwhile."""
    return await tx.fetchrow(_LOCK, user_id, proxy_id)


async def find_egress(connection: Connection, proxy_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's proxies with all that a look at it needs, its sealed credentials included."""
    return await connection.fetchrow(_EGRESS, user_id, proxy_id)


async def find_by_name(connection: Connection, name: str, *, user_id: UUID) -> UUID | None:
    """The id of the proxy with this name."""
    found: UUID | None = await connection.fetchval(_FIND_BY_NAME, user_id, name)
    return found


async def insert(tx: Connection, proxy_id: UUID, new: ProxyWrite, sealed: SealedToken | None, *, user_id: UUID) -> bool:
    """Make a proxy; False if its name is taken."""
    place = (new.name, new.scheme, new.host, new.port)
    return await tx.fetchval(_INSERT, proxy_id, user_id, *place, *_columns(sealed)) is not None


async def rename(tx: Connection, proxy_id: UUID, name: str, *, user_id: UUID) -> bool:
    """Give a proxy another name; False if it is taken."""
    try:
        async with tx.transaction():
            await tx.execute(_RENAME, user_id, proxy_id, name)
    except asyncpg.UniqueViolationError:
        return False
    return True


async def redirect(tx: Connection, proxy_id: UUID, wanted: ProxyWrite, *, user_id: UUID) -> None:
    """Write where a proxy stands; what was known of it is forgotten."""
    await tx.execute(_REDIRECT, user_id, proxy_id, wanted.scheme, wanted.host, wanted.port)


async def seal(tx: Connection, proxy_id: UUID, sealed: SealedToken | None, *, user_id: UUID) -> None:
    """Write what a proxy asks for; None: nothing."""
    await tx.execute(_SEAL, user_id, proxy_id, *_columns(sealed))


async def find_users(connection: Connection, proxy_id: UUID, *, user_id: UUID, limit: int) -> list[Row]:
    """Some of the accounts that leave through a proxy."""
    return await connection.fetch(_USERS, user_id, proxy_id, limit)


async def count_users(connection: Connection, proxy_id: UUID, *, user_id: UUID) -> int:
    """How many accounts leave through a proxy."""
    number: int = await connection.fetchval(_COUNT_USERS, user_id, proxy_id)
    return number


async def delete(tx: Connection, proxy_id: UUID, *, user_id: UUID) -> None:
    """Delete a proxy that no account uses any more."""
    await tx.execute(_DELETE, user_id, proxy_id)


def _columns(sealed: SealedToken | None) -> tuple[str | None, bytes | None]:
    return (None, None) if sealed is None else (sealed.key_id, sealed.ciphertext)


def present(row: Row) -> Proxy:
    """A proxy as clients see it."""
    return Proxy(**dict(row) | {"status": ProxyStatus(row["status"])})
