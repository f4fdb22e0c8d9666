"""Writing messages to a channel in confirm mode, many with one write.

The client library publishes one message per call, with a lock, a timer and a system call for each, and most of the time
went there. This does what its `basic_publish` does, for a whole sequence under one lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import aiormq
from aio_pika import DeliveryMode
from aiormq.abc import ChannelFrame
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from shared.jobs.broker import Session
from shared.jobs.topology import PROBES
from shared.jobs.types import JobPriority
from shared.outbox import EVENTS


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One message for the broker."""

    exchange: str
    routing_key: str
    body: bytes
    headers: Mapping[str, str]
    priority: JobPriority | None


async def write(session: Session, parcels: Sequence[Parcel]) -> list[asyncio.Future[object]]:
    """Write messages; the futures tell what the broker says of each.

    Args:
        session: open; it is marked as lost if the writing is interrupted, for nobody knows then how far it came.
        parcels: a few dozen at most: they are written, and so kept in memory, together.

    Returns:
        For each message a future: done once it is confirmed, with `PublishError` if no queue takes it, `DeliveryError`
        if the broker refuses it, or whatever ended the channel.

    Raises:
        one of BROKER_ERRORS: the session is of no more use.
    """
    channel = session.underlay
    confirms: list[asyncio.Future[object]] = []
    frames: list[Frame | ContentHeader | ContentBody] = []
    async with channel.lock:
        try:
            for parcel in parcels:
                confirms.append(_expect_confirm(channel))
                frames += _frames(parcel, message_id=str(channel.delivery_tag), most_bytes=channel.max_content_size)
            await channel.write_queue.put(ChannelFrame.marshall(frames=frames, channel_number=channel.number))
        except BaseException:
            session.lost.set()
            raise
    return confirms


def _expect_confirm(channel: aiormq.Channel) -> asyncio.Future[object]:
    """Register the next message with the channel's own table of confirms and returns."""
    channel.delivery_tag += 1
    tag = channel.delivery_tag
    # The broker's returns are matched by message id, so it names this sending and not the job.
    message_id = str(tag)
    confirm: asyncio.Future[object] = channel.create_future()
    channel.confirmations[tag] = confirm
    channel.message_id_delivery_tag[message_id] = tag
    confirm.add_done_callback(lambda _: channel.message_id_delivery_tag.pop(message_id, None))
    return confirm


def _frames(parcel: Parcel, *, message_id: str, most_bytes: int) -> Iterator[Frame | ContentHeader | ContentBody]:
    # A word that nobody listens to is no fault; a job without a queue is.
    mandatory = parcel.exchange not in {EVENTS, PROBES}
    yield Basic.Publish(exchange=parcel.exchange, routing_key=parcel.routing_key, mandatory=mandatory)
    properties = Basic.Properties(
        headers=dict(parcel.headers),
        priority=parcel.priority.amqp if parcel.priority else None,
        delivery_mode=DeliveryMode.PERSISTENT,
        content_type="application/json",
        message_id=message_id,
    )
    yield ContentHeader(properties=properties, body_size=len(parcel.body))
    for start in range(0, len(parcel.body), most_bytes):
        yield ContentBody(parcel.body[start : start + most_bytes])
