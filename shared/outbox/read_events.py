"""Reading events in the one order in which none is passed over: by transaction, and only what is settled.

The number of an event is drawn before its transaction commits, so a higher one may be seen first. What is below the
oldest transaction that still runs gets no more neighbours: docs/adr/0021-events-are-read-below-the-oldest-writer.md
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from shared.database import Connection, Row

#: Events are kept for so long.
EVENT_DAYS = 7
# An event is dated by the begin of its transaction: what stands behind it may have begun a little earlier.
_MARGIN_S = 3600
_POSITION = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,11})", re.ASCII)

# By events_stream.
_READ = """
    SELECT tx::text AS tx, seq, id, type, subject, payload, created_at,
           tx < pg_snapshot_xmin(pg_current_snapshot()) AS settled
    FROM events
    WHERE user_id = $1 AND (tx, seq) > ($2::bigint::text::xid8, $3) AND tx < pg_snapshot_xmax(pg_current_snapshot())
    ORDER BY events.tx, seq
    LIMIT $4
"""
_NOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"


@dataclass(frozen=True, kw_only=True, order=True)
class Position:
    """A place in a tenant's events: all up to it were seen."""

    tx: int
    seq: int
    # Nothing behind it is older, in seconds since the epoch: its event's time, or that at which nothing was behind it.
    told_at: int = field(default_factory=lambda: int(time.time()), compare=False)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The position of a text that `str` made; None if it is none."""
        found = _POSITION.fullmatch(text)
        return None if found is None else cls(tx=int(found[1]), seq=int(found[2]), told_at=int(found[3]))

    def __str__(self) -> str:
        return f"{self.tx}-{self.seq}-{self.told_at}"

    @property
    def is_kept(self) -> bool:
        """Whether every event after it is still there."""
        return self.told_at > time.time() - EVENT_DAYS * 86_400 + _MARGIN_S


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An event as it is kept."""

    position: Position
    id: UUID
    type: str
    subject: str  # the id of what it happened to
    payload: dict[str, Any]
    created_at: datetime

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """An event from its row, with `tx` as text."""
        return cls(
            position=Position(tx=int(row["tx"]), seq=row["seq"], told_at=int(row["created_at"].timestamp())),
            id=row["id"],
            type=row["type"],
            subject=row["subject"],
            payload=json.loads(row["payload"]),
            created_at=row["created_at"],
        )

    @property
    def account_id(self) -> str | None:
        """The account it is about; None if it is about none, or about several."""
        if self.type.startswith("account."):
            return self.subject
        found = self.payload.get("account_id")
        return found if isinstance(found, str) else None


@dataclass(frozen=True, kw_only=True)
class EventBatch:
    """What comes next."""

    events: list[StoredEvent]
    unsettled: bool  # more is committed already, and may be read in a moment
    full: bool  # there may be more at once


async def read_events(connection: Connection, *, user_id: UUID, after: Position, limit: int) -> EventBatch:
    """The tenant's next events after a position, each exactly once however transactions overlap."""
    rows = await connection.fetch(_READ, user_id, after.tx, after.seq, limit)
    settled = [StoredEvent.from_row(row) for row in rows if row["settled"]]
    return EventBatch(events=settled, unsettled=len(settled) < len(rows), full=len(settled) == limit)


async def current_position(connection: Connection) -> Position:
    """The end of all settled events: who begins here gets what comes from now on."""
    return Position(tx=int(await connection.fetchval(_NOW)), seq=0)
