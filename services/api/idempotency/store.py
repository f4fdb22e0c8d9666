"""SQL of requests that may be repeated."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from services.api.http import Answer
from shared.database import Connection

# One request at a time under a key, for as long as its transaction lasts: whoever comes second is told at once.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || ':' || $2, 5))"
_FIND = """
    SELECT fingerprint, status, headers, body, key_id, reserved_until > now() AS runs
    FROM idempotency_keys
    WHERE user_id = $1 AND key = $2 AND created_at > now() - make_interval(hours => 24)
"""
_RESERVE = """
    INSERT INTO idempotency_keys (user_id, key, fingerprint, reserved_until)
    VALUES ($1, $2, $3, now() + $4::float8 * interval '1 second')
    ON CONFLICT (user_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, reserved_until = excluded.reserved_until, status = NULL, headers = NULL,
        body = NULL, key_id = NULL, created_at = now()
"""
_RELEASE = "DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND fingerprint = $3 AND status IS NULL"
_KEEP = """
    INSERT INTO idempotency_keys (user_id, key, fingerprint, status, headers, body, key_id)
    VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7)
    ON CONFLICT (user_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, reserved_until = NULL, status = excluded.status,
        headers = excluded.headers, body = excluded.body, key_id = excluded.key_id, created_at = now()
"""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a key."""

    fingerprint: bytes
    answer: Answer[object] | None  # None: there is none yet
    runs: bool  # somebody is believed to be at it
    key_id: str | None  # the ring's key, where the answer is encrypted


async def lock(tx: Connection, key: str, *, user_id: UUID) -> bool:
    """Hold the key until the transaction ends; False: another holds it."""
    held: bool = await tx.fetchval(_LOCK, str(user_id), key)
    return held


async def find(connection: Connection, key: str, *, user_id: UUID) -> Known | None:
    """What was kept under a key in the last 24 hours."""
    row = await connection.fetchrow(_FIND, user_id, key)
    if row is None:
        return None
    kept = None
    if row["status"] is not None:
        kept = Answer[object](content=row["body"], status=row["status"], headers=json.loads(row["headers"]))
    return Known(fingerprint=row["fingerprint"], answer=kept, runs=bool(row["runs"]), key_id=row["key_id"])


async def reserve(tx: Connection, key: str, fingerprint: bytes, *, user_id: UUID, for_s: float) -> None:
    """Note that the request runs, for the next so many seconds."""
    await tx.execute(_RESERVE, user_id, key, fingerprint, for_s)


async def release(tx: Connection, key: str, fingerprint: bytes, *, user_id: UUID) -> None:
    """Forget a request that ran and failed."""
    await tx.execute(_RELEASE, user_id, key, fingerprint)


async def keep(
    tx: Connection, key: str, fingerprint: bytes, answer: Answer[object], *, user_id: UUID, key_id: str | None
) -> None:
    """Keep the answer for whoever repeats the request."""
    headers = json.dumps(dict(answer.headers))
    await tx.execute(_KEEP, user_id, key, fingerprint, answer.status, headers, answer.content, key_id)
