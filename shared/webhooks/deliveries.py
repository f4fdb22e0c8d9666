"""Deliveries: one event for one receiver, kept as a row, with the job that sends it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from shared.database import Connection
from shared.jobs import DeliverWebhook, Job, JobType, new_job, to_outbox
from shared.outbox import append

_INSERT = """
    INSERT INTO webhook_deliveries (id, user_id, webhook_id, event_id, event_type, payload, next_attempt_at)
    SELECT id, user_id, webhook_id, event_id, event_type, payload, now()
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[])
         AS new (id, user_id, webhook_id, event_id, event_type, payload)
"""


@dataclass(frozen=True, kw_only=True)
class NewDelivery:
    """One event for one webhook."""

    user_id: UUID
    webhook_id: UUID
    event_id: UUID  # stable: receivers know by it what they had already
    event_type: str
    body: bytes  # sent byte for byte at each try
    id: UUID = field(default_factory=uuid7)


def message_body(
    event_id: UUID, *, event_type: str, created_at: datetime, subject: str, data: Mapping[str, Any]
) -> bytes:
    """What a receiver gets: the fields of Standard Webhooks, with the event's id and subject beside them."""
    told = {"id": event_id, "type": event_type, "timestamp": created_at, "subject": subject, "data": data}
    return msgspec.json.encode(told)


async def add_deliveries(tx: Connection, deliveries: Sequence[NewDelivery]) -> None:
    """Write deliveries and the jobs that send them."""
    if not deliveries:
        return
    await tx.execute(
        _INSERT,
        [delivery.id for delivery in deliveries],
        [delivery.user_id for delivery in deliveries],
        [delivery.webhook_id for delivery in deliveries],
        [delivery.event_id for delivery in deliveries],
        [delivery.event_type for delivery in deliveries],
        [delivery.body for delivery in deliveries],
    )
    await append(tx, [to_outbox(delivery_job(delivery.id, user_id=delivery.user_id)) for delivery in deliveries])


def delivery_job(delivery_id: UUID, *, user_id: UUID) -> Job:
    """The job that sends a delivery; of one delivery at most one waits."""
    payload = DeliverWebhook(user_id=user_id, delivery_id=delivery_id)
    return new_job(JobType.WEBHOOK_DELIVER, payload, subject=str(delivery_id))
