"""Events: what happened, kept for whoever resumes and announced to whoever listens, in the transaction that did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import structlog
from uuid_utils.compat import uuid7

from shared.database import Connection
from shared.outbox.append import Message, append
from shared.trace import current_traceparent

#: The topic exchange on which events are announced; the routing key is the event's type.
EVENTS = "events"
# Announcements give way to jobs of every planned kind.
_PRIORITY = 4

_INSERT = """
    INSERT INTO events (id, user_id, type, subject, payload)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[])
"""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened to a tenant."""

    user_id: UUID
    type: str  # `publication.published`, `account.reauth_required`, ...
    subject: UUID  # what it happened to
    payload: Mapping[str, Any]
    id: UUID = field(default_factory=uuid7)  # stable: consumers deduplicate by it


async def record_events(tx: Connection, events: Sequence[Event]) -> None:
    """Write events, and the messages that announce them."""
    if not events:
        return
    payloads = [msgspec.json.encode(event.payload) for event in events]
    await tx.execute(
        _INSERT,
        [event.id for event in events],
        [event.user_id for event in events],
        [event.type for event in events],
        [str(event.subject) for event in events],
        [payload.decode() for payload in payloads],
    )
    await append(tx, [_announcement(event, payload) for event, payload in zip(events, payloads, strict=True)])


def _announcement(event: Event, payload: bytes) -> Message:
    body = {
        "id": str(event.id),
        "type": event.type,
        "user_id": str(event.user_id),
        "subject": str(event.subject),
        "data": msgspec.Raw(payload),
    }
    return Message(
        type=event.type,
        subject=str(event.id),
        exchange=EVENTS,
        routing_key=event.type,
        priority=_PRIORITY,
        payload=msgspec.json.encode(body),
        headers={"x-event-id": str(event.id), **_origin()},
    )


def _origin() -> dict[str, str]:
    """The request and the trace in which it happened, by which the relay's line of it is found."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    origin = {"traceparent": current_traceparent(), "x-request-id": request_id}
    return {name: str(value) for name, value in origin.items() if value is not None}
