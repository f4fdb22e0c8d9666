"""How long a message waits in each lane, learned by standing in line. A lane is one priority of one work queue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import uuid4

import aiormq
from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic

from shared.jobs import SERVICE_OF, JobPriority, Session
from shared.jobs.probe import probe_key
from shared.jobs.topology import JOBS, PROBES, work_queue

_CALL_DEADLINE_S = 5.0
_TRANSIENT = 1
# Where fewer messages wait than probes that are out for so long, somebody has emptied the queue.
_LOST_AFTER_S = 60.0


@dataclass(kw_only=True)
class _Lane:
    service: str
    queue: str
    priority: JobPriority
    sent_at: float | None = None  # of the probe that is out; None while none is
    last_wait_s: float | None = None  # of the probe before; None if there was none

    def waits_s(self, now: float) -> float | None:
        return None if self.sent_at is None else now - self.sent_at

    def is_long_out(self, now: float) -> bool:
        return self.sent_at is not None and now - self.sent_at > _LOST_AFTER_S

    def age_s(self, now: float) -> float | None:
        known = [wait_s for wait_s in (self.waits_s(now), self.last_wait_s) if wait_s is not None]
        return max(known, default=None)


class LaneProbes:
    """Keeps at most one probe in each lane, and the tale of how long they waited."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with no probe out.

        Args:
            clock: seconds, from anywhere.
        """
        self._clock = clock
        self._lanes = [
            _Lane(service=service, queue=work_queue(service), priority=priority)
            for service in sorted(set(SERVICE_OF.values()))
            for priority in JobPriority
        ]
        self._asker = ""
        self._serial = 0
        self._out: dict[str, _Lane] = {}  # by the serial number of the probe

    async def listen(self, session: Session) -> None:
        """Take answers on this session from now on. Probes of an earlier one cannot come back, and are forgotten.

        Raises:
            one of BROKER_ERRORS: the session is of no more use.
        """
        self.forget_all()
        self._asker = uuid4().hex
        queue = await session.channel.declare_queue(
            f"{PROBES}.{self._asker}", exclusive=True, auto_delete=True, timeout=_CALL_DEADLINE_S
        )
        await queue.bind(PROBES, probe_key("*", self._asker), timeout=_CALL_DEADLINE_S)
        await session.underlay.basic_consume(queue.name, self._take, no_ack=True, timeout=_CALL_DEADLINE_S)

    async def send(self, channel: aiormq.Channel) -> None:
        """Send a probe into each lane that has none.

        Args:
            channel: of a connection that does not consume, and without confirms: nothing is waited for.
        """
        for lane in self._lanes:
            if lane.sent_at is not None:
                continue
            self._serial += 1
            serial = str(self._serial)
            lane.sent_at = self._clock()
            self._out[serial] = lane
            await channel.basic_publish(
                serial.encode(),
                exchange=JOBS,
                routing_key=probe_key(lane.service, self._asker),
                properties=Basic.Properties(delivery_mode=_TRANSIENT, priority=lane.priority.amqp),
                wait=False,
            )

    def forget_lost(self, depths: Mapping[str, int]) -> None:
        """Give up probes that are in no queue any more, so that new ones are sent.

        Args:
            depths: messages that wait, by queue.
        """
        now = self._clock()
        for queue, depth in depths.items():
            long_out = [lane for lane in self._lanes if lane.queue == queue and lane.is_long_out(now)]
            if len(long_out) > depth:
                self._forget(long_out)

    def forget_all(self) -> None:
        """Give up all probes: while the broker took no publishes, their answers could not be sent."""
        self._forget(self._lanes)

    def out(self, queue: str) -> set[JobPriority]:
        """The lanes of a queue in which a probe waits."""
        return {lane.priority for lane in self._lanes if lane.queue == queue and lane.sent_at is not None}

    def ages_s(self) -> dict[tuple[str, JobPriority], float]:
        """How old the oldest message of each lane is taken to be, by queue and priority.

        The longer of what its probe has waited until now and what the one before waited in all. So a steady wait shows
        as it is, a growing one as it grows, and a lane that was emptied as soon as the next probe has passed it. Lanes
        that no probe was ever in are left out.
        """
        now = self._clock()
        ages = {(lane.queue, lane.priority): lane.age_s(now) for lane in self._lanes}
        return {lane: age_s for lane, age_s in ages.items() if age_s is not None}

    async def _take(self, answer: DeliveredMessage) -> None:
        lane = self._out.pop(answer.body.decode(errors="replace"), None)
        if lane is not None:  # else it was given up before
            lane.last_wait_s = lane.waits_s(self._clock())
            lane.sent_at = None

    def _forget(self, lanes: Iterable[_Lane]) -> None:
        now = self._clock()
        for lane in lanes:
            lane.last_wait_s = lane.age_s(now)
            lane.sent_at = None
        self._out = {serial: lane for serial, lane in self._out.items() if lane.sent_at is not None}
