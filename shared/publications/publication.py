"""A publication as the code sees it: one row, read at one place."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.database import Row
from shared.publications.states import PublicationState, Step

_CONVERTED = frozenset({"child_container_ids", "state", "step", "read_tick"})


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One post on one account at one time. All times are UTC."""

    id: UUID
    user_id: UUID
    account_id: UUID
    post_id: UUID
    distribution_id: UUID | None
    state: PublicationState
    reason: str | None  # why it stands where it stands, as a stable word
    priority: int
    publish_at: datetime  # when the user wants it live
    max_lateness_s: int | None  # beyond it the publication is missed; None means never
    revision: int  # grows with each edit or retry by a person
    epoch: int  # grows with each claim; the fencing token
    attempt: int  # tries that count, the running one included
    max_attempts: int
    next_attempt_at: datetime  # when it may be claimed
    step: Step | None
    child_container_ids: tuple[str | None, ...]  # of a carousel, by position; None where one is still to be made
    container_id: str | None
    container_created_at: datetime | None
    publish_sent_at: datetime | None
    publish_sends: int  # how often the irreversible call was made for this container
    media_id: str | None
    permalink: str | None
    published_at: datetime | None
    read_at: datetime  # the database's clock when the row was read
    read_tick: float = field(default_factory=time.monotonic, compare=False)  # this process's clock at that moment

    def age_s(self, moment: datetime) -> float:
        """Seconds since a time of the row, by the database's clock whatever this machine's says."""
        return (self.read_at - moment).total_seconds() + time.monotonic() - self.read_tick

    @classmethod
    def from_row(cls, row: Row) -> Publication:
        """Read a row of `publications` that also has `now() AS read_at`."""
        return cls(
            **{name: row[name] for name in _COPIED},
            child_container_ids=tuple(row["child_container_ids"] or ()),
            state=PublicationState(row["state"]),
            step=Step(row["step"]) if row["step"] is not None else None,
        )


_COPIED = tuple(name for name in Publication.__dataclass_fields__ if name not in _CONVERTED)
