"""Giving a webhook up, with the event that tells of it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from shared.database import Connection
from shared.outbox import Event, record_events

_DISABLE = """
    UPDATE webhooks SET state = 'disabled', state_reason = $3, updated_at = now()
    WHERE user_id = $1 AND id = $2 AND state = 'enabled'
    RETURNING id
"""


class WebhookEnd(StrEnum):
    """Why the system itself disables a webhook."""

    GONE = "gone"  # its receiver said so, with status 410
    FAILING = "failing"  # nothing has got through for days


async def disable_webhook(tx: Connection, webhook_id: UUID, *, user_id: UUID, reason: WebhookEnd) -> None:
    """Send nothing to it any more until somebody enables it; nothing changes if it is disabled already."""
    if await tx.fetchval(_DISABLE, user_id, webhook_id, reason.value) is None:
        return
    payload = {"webhook_id": str(webhook_id), "reason": reason.value}
    await record_events(tx, [Event(user_id=user_id, type="webhook.disabled", subject=webhook_id, payload=payload)])
