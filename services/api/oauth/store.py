"""SQL of connecting accounts."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from shared.database import Connection, Row

_PROTOCOL = "SELECT id FROM warmup_protocols WHERE id = $1"
# As `open_egress` reads it.
_EGRESS = """
    SELECT id AS proxy_id, scheme AS proxy_scheme, host AS proxy_host, port AS proxy_port, key_id AS proxy_key_id,
           sealed AS proxy_sealed
    FROM proxies
    WHERE user_id = $1 AND id = $2
"""
_BEGIN = """
    INSERT INTO oauth_states (state_hash, user_id, actor, protocol_id, proxy_id, expires_at)
    VALUES ($1, $2, $3, $4, $5, now() + interval '10 minutes')
    RETURNING expires_at
"""
# Whoever deletes it is the one that may go on with it.
_TAKE = """
    DELETE FROM oauth_states
    WHERE state_hash = $1
    RETURNING user_id, actor, protocol_id, proxy_id, expires_at > now() AS in_time
"""
_SET_SCOPES = "UPDATE account_tokens SET scopes = $3 WHERE user_id = $1 AND account_id = $2"


async def has_protocol(connection: Connection, protocol_id: str) -> bool:
    """Whether there is such a warm-up protocol."""
    return await connection.fetchval(_PROTOCOL, protocol_id) is not None


async def find_egress(connection: Connection, proxy_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's proxies, for `open_egress`."""
    return await connection.fetchrow(_EGRESS, user_id, proxy_id)


async def begin(
    tx: Connection, state: str, *, user_id: UUID, actor: str, protocol_id: str | None, proxy_id: UUID | None
) -> datetime:
    """Remember that a connection was begun; answers until when it may be ended."""
    expires_at: datetime = await tx.fetchval(_BEGIN, _hash(state), user_id, actor, protocol_id, proxy_id)
    return expires_at


async def take(tx: Connection, state: str) -> Row | None:
    """What was begun with this state. It is gone then: nobody else can end it."""
    return await tx.fetchrow(_TAKE, _hash(state))


async def set_scopes(tx: Connection, account_id: UUID, scopes: Collection[str], *, user_id: UUID) -> None:
    """Keep what an account's token allows."""
    await tx.execute(_SET_SCOPES, user_id, account_id, sorted(scopes))


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
