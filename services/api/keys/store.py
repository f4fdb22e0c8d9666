"""SQL of API keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.http import Scope
from services.api.keys.contract import ApiKey
from shared.database import Connection, Row

_COLUMNS = "id, key_id, name, scopes, account_ids, expires_at, last_used_at, created_at, revoked_at, replaces"
LIST = f"""
    SELECT {_COLUMNS}
    FROM api_keys
    WHERE user_id = $1
"""  # noqa: S608 - the columns stand above
_FIND = f"{LIST} AND id = $2"
# Whoever changes keys holds the tenant's row: "the last one that ..." is then true until the end of the transaction.
_LOCK_TENANT = "SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE"
_COUNT_LIVE = """
    SELECT count(*) AS keys,
           count(*) FILTER (WHERE 'admin' = ANY(scopes) AND account_ids IS NULL) AS admins
    FROM api_keys
    WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > clock_timestamp())
"""
_FIND_TWIN = """
    SELECT id
    FROM api_keys
    WHERE user_id = $1 AND (replaces = $2 OR id = $3) AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > clock_timestamp())
    LIMIT 1
"""
_INSERT = f"""
    INSERT INTO api_keys (id, user_id, key_id, secret_hash, name, scopes, account_ids, expires_at, replaces)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    RETURNING {_COLUMNS}
"""  # noqa: S608 - the columns stand above
_UPDATE = f"""
    UPDATE api_keys
    SET name = $3, scopes = $4, account_ids = $5, expires_at = $6
    WHERE user_id = $1 AND id = $2
    RETURNING {_COLUMNS}
"""  # noqa: S608 - the columns stand above
_REVOKE = f"""
    UPDATE api_keys
    SET revoked_at = now()
    WHERE user_id = $1 AND id = $2
    RETURNING {_COLUMNS}
"""  # noqa: S608 - the columns stand above
_END_AFTER = """
    UPDATE api_keys
    SET expires_at = least(expires_at, now() + make_interval(secs => $3))
    WHERE user_id = $1 AND id = $2
"""
# Several processes write what they saw of the same keys: none waits for another, and the later time stays.
_WRITE_USES = """
    UPDATE api_keys
    SET last_used_at = seen.at
    FROM (
        SELECT api_keys.id, used.at
        FROM unnest($1::text[], $2::timestamptz[]) AS used (key_id, at)
        JOIN api_keys ON api_keys.key_id = used.key_id
        WHERE api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.at
        FOR UPDATE OF api_keys SKIP LOCKED
    ) AS seen
    WHERE api_keys.id = seen.id
"""


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What a key is called, may do, and for how long."""

    name: str
    scopes: tuple[Scope, ...]
    account_ids: tuple[UUID, ...] | None
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class LiveKeys:
    """How many of a tenant's keys work."""

    keys: int
    admins: int  # that may make and revoke keys


async def lock_tenant(tx: Connection, *, user_id: UUID) -> None:
    """Let nobody else change the tenant's keys until the transaction ends."""
    await tx.execute(_LOCK_TENANT, user_id)


async def find(connection: Connection, key: UUID, *, user_id: UUID) -> ApiKey | None:
    """One of the tenant's keys."""
    row = await connection.fetchrow(_FIND, user_id, key)
    return None if row is None else present(row)


async def count_live(tx: Connection, *, besides: UUID | None = None, user_id: UUID) -> LiveKeys:
    """How many keys work, one left out."""
    [row] = await tx.fetch(_COUNT_LIVE, user_id, besides)
    return LiveKeys(keys=row["keys"], admins=row["admins"])


async def find_twin(tx: Connection, key: ApiKey, *, user_id: UUID) -> UUID | None:
    """A key that works beside this one because one of the two takes over from the other."""
    twin: UUID | None = await tx.fetchval(_FIND_TWIN, user_id, key.id, key.replaces)
    return twin


async def insert(
    tx: Connection, rights: Rights, *, key_id: str, secret_hash: bytes, replaces: UUID | None = None, user_id: UUID
) -> ApiKey:
    """Make a key."""
    [row] = await tx.fetch(_INSERT, uuid7(), user_id, key_id, secret_hash, *_values(rights), replaces)
    return present(row)


async def update(tx: Connection, key: UUID, rights: Rights, *, user_id: UUID) -> ApiKey:
    """Change a key."""
    [row] = await tx.fetch(_UPDATE, user_id, key, *_values(rights))
    return present(row)


async def revoke(tx: Connection, key: UUID, *, user_id: UUID) -> ApiKey:
    """End a key now, for good."""
    [row] = await tx.fetch(_REVOKE, user_id, key)
    return present(row)


async def end_after(tx: Connection, key: UUID, *, seconds: int, user_id: UUID) -> None:
    """End a key after so many seconds, if it does not end before."""
    await tx.execute(_END_AFTER, user_id, key, float(seconds))


async def write_uses(tx: Connection, used: Mapping[str, datetime]) -> None:
    """Write down when keys were last used; a key that somebody else is changing is left for the next time."""
    await tx.execute(_WRITE_USES, list(used), list(used.values()))


def present(row: Row) -> ApiKey:
    """A key as clients see it."""
    return ApiKey(**{**row, "scopes": [Scope(scope) for scope in row["scopes"]]})


def _values(rights: Rights) -> tuple[object, ...]:
    account_ids = None if rights.account_ids is None else list(rights.account_ids)
    return rights.name, [scope.value for scope in rights.scopes], account_ids, rights.expires_at
