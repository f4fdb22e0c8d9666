"""The outbox: messages that commit together with the data they speak of, and are sent by a process of their own.

It is also the timetable: a row waits here until its `due_at`, where it can be listed, moved and withdrawn.
"""

from shared.outbox.append import CHANNEL, Message, append, put_back, replace, withdraw
from shared.outbox.backlog import Backlog, read_backlog
from shared.outbox.drain import Drained, Outgoing, Send, drain_once, sift_once
from shared.outbox.events import EVENTS, Event, record_events

__all__ = [
    "CHANNEL",
    "EVENTS",
    "Backlog",
    "Drained",
    "Event",
    "Message",
    "Outgoing",
    "Send",
    "append",
    "drain_once",
    "put_back",
    "read_backlog",
    "record_events",
    "replace",
    "sift_once",
    "withdraw",
]
