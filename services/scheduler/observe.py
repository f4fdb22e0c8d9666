"""Gauges that only a question answers: how much waits in the outbox and in the broker's queues, and since when."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import aiormq

from services.scheduler.ask_management import Management
from services.scheduler.probe_lanes import LaneProbes
from shared import metrics
from shared.database import Pool
from shared.jobs import JobPriority, OnMissing, Session, open_session, restore_topology, until_any
from shared.jobs.blocked import is_blocked
from shared.jobs.depths import count_messages
from shared.outbox import read_backlog

# Not all priorities together, but the queue as a whole, where the broker does not tell them apart.
_ALL = "all"


async def observe_outbox_once(pool: Pool) -> None:
    """Read the outbox and set its gauges."""
    async with pool.acquire() as connection:
        backlog = await read_backlog(connection)
    metrics.outbox_pending.set(backlog.due)
    metrics.outbox_oldest_seconds.set(backlog.oldest_s or 0)


@dataclass(frozen=True, kw_only=True)
class QueueObserver:
    """Watches the broker's queues, one session after another."""

    urls: Sequence[str]
    probes: LaneProbes
    management: Management | None
    every_s: float
    on_missing: OnMissing | None = None

    async def observe(self, session: Session, *, stop: asyncio.Event) -> None:
        """Set the gauges of the queues again and again, until the session is lost or the stop comes.

        Args:
            session: counts, and takes the answers of probes. Nothing is published on it, so that the broker answers
                there even while it blocks those that publish.
            stop: ends it.
        """
        await restore_topology(session.connection, on_missing=self.on_missing)
        async with open_session(self.urls, name="scheduler-probes") as sending:
            channel = await sending.connection.channel(publisher_confirms=False)
            underlay = cast(aiormq.Channel, await channel.get_underlay_channel())
            await self.probes.listen(session)
            blocked = False
            # The rest comes first: a line that breaks again and again would leave probes behind at every turn.
            while not await _any_within(self.every_s, stop, session.lost, sending.lost):
                await self._look(session)
                was_blocked, blocked = blocked, await is_blocked(sending.connection)
                if was_blocked and not blocked:
                    self.probes.forget_all()
                if not blocked:
                    await self.probes.send(underlay)

    async def _look(self, session: Session) -> None:
        depths = await count_messages(session.channel)
        by_priority = {} if self.management is None else await self.management.count_by_priority()
        self.probes.forget_lost(depths)
        for queue, depth in depths.items():
            _show_depth(queue, depth, by_priority.get(queue), probes=self.probes.out(queue))
        for (queue, priority), age_s in self.probes.ages_s().items():
            metrics.queue_oldest_age_seconds.labels(queue, priority.name.lower()).set(age_s)


async def _any_within(seconds: float, *events: asyncio.Event) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(until_any(*events), seconds)
    return any(event.is_set() for event in events)


def _show_depth(
    queue: str, depth: int, by_priority: Mapping[JobPriority, int] | None, *, probes: Collection[JobPriority]
) -> None:
    """Set the depth under each priority or under `all`, never under both, and without our own probes."""
    if by_priority is None:
        shown = {_ALL: depth - len(probes)}
    else:
        shown = {priority.name.lower(): count - (priority in probes) for priority, count in by_priority.items()}
    for label in {_ALL, *(priority.name.lower() for priority in JobPriority)} - shown.keys():
        metrics.queue_depth.remove(queue, label)
    for label, count in shown.items():
        metrics.queue_depth.labels(queue, label).set(max(0, count))
