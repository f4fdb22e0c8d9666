"""Where jobs wait, in memory: outbox, retry ladder and work queues, each with the rules of the real one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from shared.jobs.envelope import Job, read_job
from shared.jobs.types import SERVICE_OF, JobPriority, JobType
from shared.outbox import Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(at: datetime) -> int:
    """Milliseconds since the epoch."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


@dataclass(order=True, kw_only=True)
class Entry:
    """A message that waits; sorted by when it is due, and of one time by its arrival."""

    due_at: datetime
    arrival: int
    message: Message = field(compare=False)
    gone: bool = field(default=False, compare=False)  # another one stands in its place

    @property
    def name(self) -> tuple[str, str]:
        """What is unique in the outbox."""
        return self.message.type, self.message.subject

    @property
    def job(self) -> Job:
        """What it carries, read as a worker reads it from the wire."""
        return read_job(
            routing_key=self.message.routing_key,
            headers={**self.message.headers, "x-due": str(to_ms(self.due_at))},
            priority=JobPriority(self.message.priority).amqp,
            body=self.message.payload,
        )


class Places:
    """All that waits, for its time or for its turn."""

    def __init__(self, services: Collection[str]) -> None:
        """Begin empty.

        Args:
            services: those with a worker; what is for others stays in their queues.
        """
        self._services = services
        self._arrivals = count()
        self._outbox: dict[tuple[str, str], Entry] = {}
        self._timed: list[Entry] = []  # a heap: the outbox and the ladder
        self._ready: list[tuple[int, int, Entry]] = []  # a heap: the queues of our services, by priority and arrival
        self._elsewhere: list[Entry] = []  # in the queues of other services

    def append(self, message: Message, *, now: datetime) -> bool:
        """Put it into the outbox, unless one of its name waits there. Returns whether it was put."""
        if (message.type, message.subject) in self._outbox:
            return False
        self.replace(message, now=now)
        return True

    def replace(self, message: Message, *, now: datetime) -> None:
        """Put it into the outbox, in the place of one of its name that waits there."""
        entry = self._wait(message, now)
        known = self._outbox.get(entry.name)
        if known is not None:
            known.gone = True
        self._outbox[entry.name] = entry

    def put_back(self, message: Message, *, now: datetime) -> None:
        """Put it into the outbox again, unless another one of its name waits there."""
        known = self._outbox.get((message.type, message.subject))
        if known is None or known.message.headers["x-job-id"] == message.headers["x-job-id"]:
            self.replace(message, now=now)

    def climb(self, message: Message, *, now: datetime) -> None:
        """Put it on the retry ladder."""
        self._wait(message, now)

    def take(self, now: datetime) -> Entry | None:
        """The most urgent of those that are due, which then waits no more; None if there is none."""
        while (due_at := self.next_due_at()) is not None and due_at <= now:
            entry = heappop(self._timed)
            if self._outbox.get(entry.name) is entry:
                del self._outbox[entry.name]
            self._queue(entry)
        return heappop(self._ready)[-1] if self._ready else None

    def next_due_at(self) -> datetime | None:
        """When the next one leaves the outbox or the ladder; None if both are empty."""
        while self._timed and self._timed[0].gone:
            heappop(self._timed)
        return self._timed[0].due_at if self._timed else None

    def waiting(self) -> list[Entry]:
        """All that waits, sorted."""
        timed = (entry for entry in self._timed if not entry.gone)
        return sorted([*self._elsewhere, *(ready[-1] for ready in self._ready), *timed])

    def _wait(self, message: Message, now: datetime) -> Entry:
        due_at = (message.due_at or now) + timedelta(milliseconds=message.due_in_ms)
        entry = Entry(due_at=due_at, arrival=next(self._arrivals), message=message)
        heappush(self._timed, entry)
        return entry

    def _queue(self, entry: Entry) -> None:
        if SERVICE_OF[JobType(entry.message.type)] in self._services:
            heappush(self._ready, (entry.message.priority, next(self._arrivals), entry))
        else:
            self._elsewhere.append(entry)
