"""The load generator, the same for every subject: it sends copies of a job that the subject itself has enqueued.

So every subject's worker gets exactly what its own producer sends, at a pace that this producer does not limit.
"""

from __future__ import annotations

import asyncio
import copy
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from uuid import uuid4

import aiormq
import uvloop
from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic

from benchmarks.peers.protocol import STAMP, Order, read_order, say

_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_PERSISTENT = 2
_ASK_AGAIN_S = 0.02
# Consumers are there before their processes have warmed up.
_SETTLE_S = 0.5
_CHUNK = 1_000


@dataclass(frozen=True, kw_only=True)
class _Template:
    exchange: str
    routing_key: str
    properties: Basic.Properties
    body: bytes
    job_id: str | None

    def copy(self, sent_ns: int) -> tuple[bytes, Basic.Properties]:
        """The job once more: with an id of its own, and with this time of sending; 0 is none."""
        body = self.body.replace(str(STAMP).encode(), str(sent_ns).encode())
        properties = copy.copy(self.properties)
        properties.message_id = None  # the client makes one
        if self.job_id is None:
            return body, properties
        fresh = str(uuid4()) if "-" in self.job_id else uuid4().hex
        headers = (self.properties.headers or {}).items()
        properties.headers = {name: fresh if value == self.job_id else value for name, value in headers}
        if properties.correlation_id == self.job_id:
            properties.correlation_id = fresh
        return body.replace(self.job_id.encode(), fresh.encode()), properties


def _template(message: DeliveredMessage) -> _Template:
    if not isinstance(message.delivery, Basic.GetOk):
        raise TypeError("there is no job to copy")
    properties = message.header.properties
    if properties.delivery_mode != _PERSISTENT:
        raise ValueError("the job is not persistent: this subject gives other guarantees than the rest")
    return _Template(
        exchange=message.delivery.exchange,
        routing_key=message.delivery.routing_key or "",
        properties=properties,
        body=message.body,
        job_id=_job_id(message.body.decode(), properties),
    )


def _job_id(body: str, properties: Basic.Properties) -> str | None:
    """Where subjects keep it: in the body, else as the correlation id, else as a header. The bare library has none."""
    if found := _ID.search(body):
        return found[0]
    whole = [properties.correlation_id or "", *map(str, (properties.headers or {}).values())]
    return next((value for value in whole if _ID.fullmatch(value)), None)


class _Line:
    """A channel that the broker confirms to, and the job to copy, taken from the queue."""

    def __init__(self, order: Order, channel: aiormq.Channel, template: _Template) -> None:
        self._queue = order.queue
        self._channel = channel
        self._template = template

    async def send(self, *, sent_ns: int) -> None:
        """Send a copy; 0 is no time of sending."""
        body, properties = self._template.copy(sent_ns)
        key = self._template.routing_key
        await self._channel.basic_publish(
            body, exchange=self._template.exchange, routing_key=key, properties=properties, wait=False
        )

    async def until(self, fits: Callable[[int, int], bool]) -> None:
        """Return once this is true of the numbers of waiting jobs and of consumers; all that was sent has arrived."""
        while True:
            queue = await self._channel.queue_declare(self._queue, passive=True)
            if fits(queue.message_count or 0, queue.consumer_count or 0):
                return
            await asyncio.sleep(_ASK_AGAIN_S)


@asynccontextmanager
async def _ready(order: Order) -> AsyncIterator[_Line]:
    connection = await aiormq.connect(order.url)
    try:
        channel = cast(aiormq.Channel, await connection.channel(publisher_confirms=False))
        template = _template(await channel.basic_get(order.queue, no_ack=True))
        # The broker does the work of confirms, as it does for every subject; nobody here has to wait for them.
        await channel.confirm_delivery()
        say(ready=True)
        yield _Line(order, channel, template)
    finally:
        await connection.close()


async def _fill(order: Order) -> None:
    """Send `count` jobs as fast as possible, or as fast as workers take them."""
    most = order.backlog_most
    async with _ready(order) as line:
        for sent in range(order.count):
            if most and sent % _CHUNK == 0:
                await line.until(lambda waiting, _: waiting <= most)
            await line.send(sent_ns=0)
        await line.until(lambda waiting, _: bool(most) or waiting >= order.count)
    say(sent=order.count)


async def _flow(order: Order) -> None:
    """Once a worker consumes, send `count` jobs with their time of sending, evenly, however they fare."""
    async with _ready(order) as line:
        await line.until(lambda _, consumers: consumers > 0)
        await asyncio.sleep(_SETTLE_S)
        began = time.monotonic()
        for sent in range(order.count):
            ahead_s = began + sent / order.rate_per_s - time.monotonic()
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
            await line.send(sent_ns=time.monotonic_ns())
        seconds = time.monotonic() - began
        await line.until(lambda *_: True)  # the broker has read everything
    say(seconds=seconds)


if __name__ == "__main__":
    ordered = read_order()
    uvloop.run({"fill": _fill, "flow": _flow}[ordered.role](ordered))
