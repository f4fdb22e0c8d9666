"""SQL of webhooks and their deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.api.webhooks.contract import Delivery, DeliveryState, Webhook
from shared.database import Connection, Row
from shared.security import SealedToken

LIST = """
    SELECT id, url, events, description, state, state_reason, failing_since, created_at, updated_at
    FROM webhooks
    WHERE user_id = $1
"""
_FIND = f"{LIST} AND id = $2"
_LOCK = f"{_FIND} FOR NO KEY UPDATE"
_COUNT = "SELECT count(*) FROM webhooks WHERE user_id = $1"
_INSERT = """
    INSERT INTO webhooks (id, user_id, url, events, description, key_id, sealed)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
# Whoever enables it anew wants what happens from now on, not what it missed.
_UPDATE = """
    UPDATE webhooks
    SET url = $3, events = $4, description = $5, state = $6, updated_at = now(),
        state_reason = CASE WHEN $7::bool THEN NULL ELSE state_reason END,
        failing_since = CASE WHEN $7::bool THEN NULL ELSE failing_since END,
        position_tx = CASE WHEN $7::bool THEN pg_current_xact_id() ELSE position_tx END,
        position_seq = CASE WHEN $7::bool THEN 0 ELSE position_seq END
    WHERE user_id = $1 AND id = $2
"""
_DELETE = "DELETE FROM webhooks WHERE user_id = $1 AND id = $2"
_READ_SECRET = "SELECT key_id, sealed FROM webhooks WHERE user_id = $1 AND id = $2"  # noqa: S105 - a statement
_ROTATE = """
    UPDATE webhooks
    SET previous_key_id = $3, previous_sealed = $4, previous_until = now() + interval '24 hours', key_id = $5,
        sealed = $6, updated_at = now()
    WHERE user_id = $1 AND id = $2
"""
_DELIVERIES = """
    SELECT id, webhook_id, event_id, event_type, state, attempts, status, error, latency_ms, created_at,
           next_attempt_at, delivered_at
    FROM webhook_deliveries
    WHERE user_id = $1 AND webhook_id = $2
"""
_FIND_DELIVERY = f"{_DELIVERIES} AND id = $3"
_READ_PAYLOAD = "SELECT payload FROM webhook_deliveries WHERE user_id = $1 AND webhook_id = $2 AND id = $3"


@dataclass(frozen=True, kw_only=True)
class WebhookWrite:
    """What is written of a webhook."""

    url: str
    events: Sequence[str]
    description: str
    state: str = "enabled"


async def find(connection: Connection, webhook_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's webhooks."""
    return await connection.fetchrow(_FIND, user_id, webhook_id)


async def lock(tx: Connection, webhook_id: UUID, *, user_id: UUID) -> Row | None:
    """The same, locked until the transaction ends."""
    return await tx.fetchrow(_LOCK, user_id, webhook_id)


async def count(connection: Connection, *, user_id: UUID) -> int:
    """How many the user has."""
    found: int = await connection.fetchval(_COUNT, user_id)
    return found


async def insert(tx: Connection, webhook_id: UUID, new: WebhookWrite, sealed: SealedToken, *, user_id: UUID) -> None:
    """Make one; it gets what happens from now on."""
    events = list(new.events)
    await tx.execute(_INSERT, webhook_id, user_id, new.url, events, new.description, sealed.key_id, sealed.ciphertext)


async def update(tx: Connection, webhook_id: UUID, new: WebhookWrite, *, user_id: UUID, begins_anew: bool) -> None:
    """Change one; `begins_anew` if it was disabled and is no more."""
    events = list(new.events)
    await tx.execute(_UPDATE, user_id, webhook_id, new.url, events, new.description, new.state, begins_anew)


async def delete(tx: Connection, webhook_id: UUID, *, user_id: UUID) -> None:
    """Remove one, with its deliveries."""
    await tx.execute(_DELETE, user_id, webhook_id)


async def read_secret(tx: Connection, webhook_id: UUID, *, user_id: UUID) -> SealedToken | None:
    """Its secret, as it is stored."""
    row = await tx.fetchrow(_READ_SECRET, user_id, webhook_id)
    return None if row is None else SealedToken(key_id=row["key_id"], ciphertext=row["sealed"])


async def rotate(
    tx: Connection, webhook_id: UUID, *, user_id: UUID, before: SealedToken | None, now: SealedToken
) -> None:
    """Give it another secret; the one before signs beside it for a day."""
    key_id, sealed = (None, None) if before is None else (before.key_id, before.ciphertext)
    await tx.execute(_ROTATE, user_id, webhook_id, key_id, sealed, now.key_id, now.ciphertext)


def deliveries_query(user_id: UUID, *, webhook_id: UUID, state: DeliveryState | None) -> tuple[str, list[object]]:
    """The list of a webhook's deliveries, with its arguments."""
    if state is None:
        return _DELIVERIES, [user_id, webhook_id]
    return f"{_DELIVERIES} AND state = $3", [user_id, webhook_id, str(state)]


async def find_delivery(connection: Connection, delivery_id: UUID, *, webhook_id: UUID, user_id: UUID) -> Row | None:
    """One delivery of a webhook."""
    return await connection.fetchrow(_FIND_DELIVERY, user_id, webhook_id, delivery_id)


async def read_payload(tx: Connection, delivery_id: UUID, *, webhook_id: UUID, user_id: UUID) -> bytes:
    """What a delivery sends."""
    payload: bytes = await tx.fetchval(_READ_PAYLOAD, user_id, webhook_id, delivery_id)
    return payload


def present(row: Row) -> Webhook:
    """A webhook as clients see it."""
    return Webhook(**dict(row))


def present_delivery(row: Row) -> Delivery:
    """A delivery as clients see it."""
    return Delivery(**dict(row))
