"""Events as they stand in a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from shared.outbox import Position, StoredEvent

_RETRY_MS = 2_000


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One event, encoded once for all who read it, with what decides who does."""

    position: Position
    type: str
    account_id: str | None
    text: bytes


def event_frame(event: StoredEvent) -> Frame:
    """An event of the table as a frame."""
    told = {
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "created_at": event.created_at,
        "data": event.payload,
    }
    text = _frame(event.type, told, position=event.position)
    return Frame(position=event.position, type=event.type, account_id=event.account_id, text=text)


def opening(position: Position) -> bytes:
    """The first words: how soon to come again, and from where, even if nothing has happened by then."""
    return f"retry: {_RETRY_MS}\nid: {position}\n\n".encode()


def heartbeat(position: Position) -> bytes:
    """A sign of life that only moves the place to resume from: all that has happened by now was looked at."""
    return f":\nid: {Position(tx=position.tx, seq=position.seq)}\n\n".encode()


def reset(position: Position) -> bytes:
    """The client has been away for longer than events are kept: what it knows must be read anew."""
    detail = "Events after your last one are no longer kept. Read what you need anew; the stream goes on from now."
    return _frame("reset", {"code": "position_too_old", "detail": detail}, position=position)


def error(code: str, detail: str) -> bytes:
    """Why the stream ends. Without a place: the last one stays."""
    return _frame("error", {"code": code, "detail": detail})


def _frame(event: str, data: Any, *, position: Position | None = None) -> bytes:
    place = b"" if position is None else f"id: {position}\n".encode()
    return place + f"event: {event}\n".encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"
