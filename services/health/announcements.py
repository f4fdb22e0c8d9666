"""What the exchange of events says: of which account, and since when; and what of it is judged together."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import structlog

log = structlog.get_logger()

_ACCOUNT = "account."


class _Data(msgspec.Struct):
    account_id: UUID | None = None


class Announcement(msgspec.Struct):
    """One event, as it is announced."""

    id: UUID
    type: str
    subject: UUID
    data: _Data

    @property
    def account_id(self) -> UUID | None:
        """The account that it tells of."""
        return self.subject if self.type.startswith(_ACCOUNT) else self.data.account_id

    @property
    def age_s(self) -> float:
        """Since it was recorded, by its id, whose first 48 bits are the time in milliseconds."""
        return max(0.0, time.time() - (self.id.int >> 80) / 1000)


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """A message of the queue."""

    tag: int
    told: Announcement | None  # None: unreadable


@dataclass(kw_only=True)
class Gathered:
    """What is judged together."""

    tag: int = 0  # of the last delivery
    account_ids: set[UUID] = field(default_factory=set)
    ages_s: list[float] = field(default_factory=list)  # of the events

    def add(self, delivered: Delivered) -> None:
        """One more message."""
        self.tag = delivered.tag
        if delivered.told is not None and delivered.told.account_id is not None:
            self.account_ids.add(delivered.told.account_id)
            self.ages_s.append(delivered.told.age_s)


def read_announcement(body: bytes) -> Announcement | None:
    """What a message says; None if that cannot be read, which is logged."""
    try:
        return msgspec.json.decode(body, type=Announcement)
    except msgspec.MsgspecError as error:
        log.warning("event.unreadable", error=str(error))
        return None
