"""The scheduler's relay as its service runs it, and a look at what its sender is given and gets confirmed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import uvloop

from benchmarks.peers.protocol import Order, read_order, say, until_told
from services.scheduler.relay_outbox import listen, relay_once
from shared.database import create_pool
from shared.jobs import JobPriority, Sender
from shared.lifecycle import repeat
from shared.logs import configure_logs
from shared.outbox import Outgoing

_POLL_S = 1.0  # as in services/scheduler/service.py


class _WatchedSender(Sender):
    """Notes when each row was confirmed; a batch counts as confirmed when all of it is."""

    def __init__(self, order: Order) -> None:
        super().__init__([order.url], name="bench-relay")
        self._expected = order.count
        self._batches = 0
        self._late_ms: list[float] = []
        self._critical: list[tuple[int, float]] = []

    async def send_rows(self, rows: Sequence[Outgoing]) -> set[int]:
        confirmed = await super().send_rows(rows)
        now = time.time()
        self._batches += 1
        for row in (row for row in rows if row.id in confirmed):
            late_ms = (now - row.due_at.timestamp()) * 1000
            self._late_ms.append(late_ms)
            if row.priority == JobPriority.CRITICAL:
                self._critical.append((self._batches, late_ms))
        if len(self._late_ms) >= self._expected:
            say(late_ms=self._late_ms, critical=self._critical)
        return confirmed


async def _relay(order: Order) -> None:
    configure_logs(service="bench", level="warning", log_format="console")
    stop, wake = asyncio.Event(), asyncio.Event()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(order.database, application_name="bench"))
        sender = _WatchedSender(order)
        stack.push_async_callback(sender.close)
        await sender.ready()
        sweep = partial(relay_once, pool, sender, batch=int(order.settings["batch"]))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listen(order.database, wake=wake, stop=stop))
            tasks.create_task(repeat(sweep, name="relay", every_s=_POLL_S, stop=stop, wake=wake))
            say(ready=True)
            await until_told()
            stop.set()


if __name__ == "__main__":
    uvloop.run(_relay(read_order()))
