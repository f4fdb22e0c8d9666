"""One reader of a tenant's events: where it stands, and what waits to be sent to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from services.api.events.frames import Frame
from shared.outbox import Position, is_wanted

#: A live reader for whom more waits than this goes back to reading the table, at its own pace.
_WAITING_MAX = 1_000
# What is being written when the stream is to end has so long: a reader that is stuck holds up no gateway that stops.
_LAST_WRITE_S = 1.0


class Ending(StrEnum):
    """Why a stream ended."""

    CLIENT_LEFT = "client_left"
    STOPPING = "stopping"  # the gateway
    UNAUTHENTICATED = "unauthenticated"  # its key was revoked, has expired, or has other rights now
    SLOW_READER = "slow_reader"
    FAILED = "failed"  # the database could not be read


class Subscription:
    """What one stream wants, and how far it has come."""

    def __init__(self, *, patterns: frozenset[str], account_ids: frozenset[UUID] | None, position: Position) -> None:
        """Begin after `position`; nothing is wanted live yet."""
        self._patterns = patterns
        self._account_ids = None if account_ids is None else frozenset(map(str, account_ids))
        self._waiting: deque[Frame] = deque()
        self._changed = asyncio.Event()
        self.position = position  # all up to it was taken, or is not wanted
        self.live = False  # it is told of new events, and need not look for them
        self.ending: Ending | None = None
        self.writing: asyncio.Timeout | None = None  # the deadline of what is being written

    def wanted(self, frames: Sequence[Frame]) -> list[Frame]:
        """Those of the frames that this reader asked for, and may see."""
        return [
            frame
            for frame in frames
            if is_wanted(frame.type, self._patterns)
            and (self._account_ids is None or frame.account_id in self._account_ids)
        ]

    def offer(self, frames: Sequence[Frame]) -> None:
        """New events, in order. If too many wait, this reader is live no more."""
        self._waiting.extend(frame for frame in self.wanted(frames) if frame.position > self.position)
        if len(self._waiting) > _WAITING_MAX:
            self._waiting.clear()
            self.live = False
        if self._waiting or not self.live:
            self._changed.set()

    def take(self, *, up_to: Position) -> list[Frame]:
        """All that waits; `up_to` is how far the tenant's events were offered."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._changed.clear()
        self.position = max(self.position, up_to)
        return taken

    def end(self, ending: Ending) -> None:
        """Have the stream end, with the first reason that was given."""
        self.ending = self.ending or ending
        self._changed.set()
        if self.writing is not None and not self.writing.expired():
            self.writing.reschedule(asyncio.get_running_loop().time() + _LAST_WRITE_S)

    async def wait(self, seconds: float) -> None:
        """Until something waits or the stream is to end; no longer than `seconds`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
