"""Writing down who changed what, in the transaction of the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from shared.database import Connection

_INSERT = """
    INSERT INTO audit_log (id, user_id, actor, action, subject_type, subject_id, before, after, request_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9)
"""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What was changed."""

    type: str  # the resource in the singular: `account`, `api_key`, ...
    id: UUID | str


async def record_change(
    tx: Connection,
    action: str,
    subject: Subject,
    *,
    user_id: UUID,
    actor: str | None,
    request_id: str | None,
    before: Any = None,
    after: Any = None,
) -> None:
    """Write one line of the audit log.

    Args:
        tx: the transaction of the change.
        action: what was done, as `account.paused`.
        subject: to what.
        user_id: the tenant.
        actor: the id of the key that asked; None where no key did.
        request_id: of the request that asked.
        before: what was there, as clients saw it; None if there was nothing. Never a secret.
        after: what is there now, in the same way.
    """
    texts = [None if told is None else msgspec.json.encode(told).decode() for told in (before, after)]
    await tx.execute(_INSERT, uuid7(), user_id, actor, action, subject.type, str(subject.id), *texts, request_id)
