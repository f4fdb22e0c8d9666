"""The outbox: messages that commit together with the data they speak of, and are sent by a process of their own.

It is also the timetable: a row waits here until its `due_at`, where it can be listed, moved and withdrawn.
"""

from shared.outbox.append import CHANNEL, Message, append, put_back, replace, withdraw
from shared.outbox.backlog import Backlog, read_backlog
from shared.outbox.drain import Drained, Outgoing, Send, drain_once, sift_once
from shared.outbox.event_types import EVENT_PATTERNS, EVENT_TYPES, is_wanted
from shared.outbox.events import EVENTS, Event, record_events
from shared.outbox.read_events import EVENT_DAYS, EventBatch, Position, StoredEvent, current_position, read_events

__all__ = [
    "CHANNEL",
    "EVENTS",
    "EVENT_DAYS",
    "EVENT_PATTERNS",
    "EVENT_TYPES",
    "Backlog",
    "Drained",
    "Event",
    "EventBatch",
    "Message",
    "Outgoing",
    "Position",
    "Send",
    "StoredEvent",
    "append",
    "current_position",
    "drain_once",
    "is_wanted",
    "put_back",
    "read_backlog",
    "read_events",
    "record_events",
    "replace",
    "sift_once",
    "withdraw",
]
