"""Taking jobs from a work queue: slots, an orderly stop, and a session made anew whenever it was lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from aiormq.abc import DeliveredMessage

from shared import metrics
from shared.database import Pool
from shared.errors import NotReadyError
from shared.jobs import topology
from shared.jobs.acks import Acks
from shared.jobs.broker import BROKER_ERRORS, Session, keep_session, until_any
from shared.jobs.delivery import Delivery
from shared.jobs.probe import answer_probe, is_probe
from shared.jobs.run import Handler
from shared.jobs.sender import Sender
from shared.jobs.types import JobType
from shared.jobs.watchdog import DeafConsumerError, until_deaf
from shared.jobs.work import Work

# Canceled handlers get this long to hand back what they hold.
_HAND_BACK_S = 5.0
# A broker that does not answer within this time ends the session, and the next one begins.
_CALL_DEADLINE_S = 5.0
# So many sessions in a row may turn out deaf before the process gives up on itself.
_MOST_DEAF = 3

log = structlog.get_logger()


@dataclass(kw_only=True)
class Consumer:
    """Works on one service's queue until told to stop."""

    service: str
    urls: Sequence[str]
    slots: int  # jobs at a time; also the prefetch, so that no urgent job waits behind one fetched early
    handlers: Mapping[JobType, Handler]
    sender: Sender
    pool: Pool
    drain_s: float  # how long a stop waits for running handlers before it cancels them
    on_missing: topology.OnMissing | None = None
    watch_s: float = 5.0  # how often it is asked whether the consumer has gone deaf
    _connected: bool = False
    _stopping: bool = False
    _drained_at: float | None = None  # by the loop's clock
    _canceled: bool = False
    _deliveries: int = 0
    _deaf_in_a_row: int = 0
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _work: Work = field(init=False)

    def __post_init__(self) -> None:
        self._work = Work(slots=self.slots, handlers=self.handlers, sender=self.sender, pool=self.pool)
        metrics.begin_at_zero(metrics.deaf_consumers_total, self.service)

    async def ready(self) -> None:
        """Raise unless the queue is being consumed; for a readiness probe."""
        if not self._connected:
            raise NotReadyError("the work queue is not being consumed at the moment")

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until the event is set, then let running handlers finish and return.

        Raises:
            TopologyError: the broker holds something of ours with other arguments; the text says what to do.
            DeafConsumerError: nothing is delivered any more. End the process; its supervisor starts a new one.
        """
        use = partial(self._consume, stop=stop)
        try:
            await keep_session(self.urls, name=f"{self.service}-consumer", stop=stop, use=use)
        finally:
            await self._drain()

    async def _consume(self, session: Session, stop: asyncio.Event) -> None:
        await self._work.begin_session()
        await topology.restore_topology(session.connection, on_missing=self.on_missing)
        queue = topology.work_queue(self.service)
        await session.channel.set_qos(prefetch_count=self.slots, timeout=_CALL_DEADLINE_S)
        if stop.is_set():
            return
        acks = Acks(session)
        deliver = partial(self._deliver, acks)
        tag = (await session.underlay.basic_consume(queue, deliver, timeout=_CALL_DEADLINE_S)).consumer_tag or ""
        self._connected = True
        log.info("consumer.started", queue=queue, slots=self.slots)
        acking = asyncio.create_task(acks.run())
        watching = asyncio.create_task(self._watch(session, queue))
        try:
            await until_any(stop, session.lost, tasks=(acking, watching))
        finally:
            self._connected = False
            if stop.is_set():
                self._stopping = True
                with contextlib.suppress(*BROKER_ERRORS):
                    await session.underlay.basic_cancel(tag, timeout=_CALL_DEADLINE_S)
                await self._drain()  # while the session can still take their acknowledgements
            await _end(acking, watching)
        with contextlib.suppress(*BROKER_ERRORS):
            async with asyncio.timeout(_CALL_DEADLINE_S):
                await acks.finish()

    async def _watch(self, session: Session, queue: str) -> None:
        reason = await until_deaf(session.connection, queue, deliveries=self._deliveries_if_free, every_s=self.watch_s)
        if session.lost.is_set():
            return
        self._deaf_in_a_row += 1
        metrics.deaf_consumers_total.labels(self.service).inc()
        log.error("consumer.deaf", queue=queue, reason=reason, in_a_row=self._deaf_in_a_row)
        if self._deaf_in_a_row >= _MOST_DEAF:
            raise DeafConsumerError(f"{queue}: {reason}, after {_MOST_DEAF} sessions. The process must be restarted.")

    def _deliveries_if_free(self) -> int | None:
        return self._deliveries if len(self._running) < self.slots else None

    async def _drain(self) -> None:
        """Wait for handlers; at the deadline cancel them, and give them a moment to hand back what they hold.

        However often it is called, there is one deadline, counted from the first call.
        """
        now = asyncio.get_running_loop().time()
        if self._drained_at is None:
            self._drained_at = now + self.drain_s
        if self._running and now < self._drained_at:
            await asyncio.wait(self._running, timeout=self._drained_at - now)
        if not self._canceled:
            self._canceled = True
            for task in self._running:
                task.cancel()
        now = asyncio.get_running_loop().time()
        if self._running and now < self._drained_at + _HAND_BACK_S:
            await asyncio.wait(self._running, timeout=self._drained_at + _HAND_BACK_S - now)

    async def _deliver(self, acks: Acks, message: DeliveredMessage) -> None:
        tag = message.delivery_tag
        if tag is None:
            return
        acks.took(tag)
        self._deliveries += 1
        self._deaf_in_a_row = 0
        delivery = Delivery(message=message, tag=tag, acks=acks)
        # A task of its own: the client library cancels its callbacks with a lost session, and a handler in the midst
        # of a call to the platform must not die of a hiccup of the broker.
        # What arrives on the way out goes back as it came.
        if is_probe(message):
            work = answer_probe(delivery, sender=self.sender)
        else:
            work = self._work.give_back(delivery) if self._stopping else self._work.do(delivery)
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Cancel what still runs; what failed by itself is raised."""
    for task in tasks:
        task.cancel()
    for answer in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(answer, Exception):
            raise answer
