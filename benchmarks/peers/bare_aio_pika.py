"""The client library alone: what the engine is built on, with the same guarantees and nothing else."""

from __future__ import annotations

import aio_pika
import msgspec
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pamqp.common import FieldTable

from benchmarks.peers.protocol import STAMP, Order, until_told
from benchmarks.peers.publishing import publish_side_by_side
from benchmarks.peers.roles import run_async
from benchmarks.peers.tally import Tally


async def _declare(channel: AbstractChannel, order: Order) -> AbstractQueue:
    arguments: FieldTable = {} if order.priority is None else {"x-max-priority": 5}
    return await channel.declare_queue(order.queue, durable=True, arguments=arguments)


async def _produce(order: Order) -> None:
    async with await aio_pika.connect(order.url) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        await _declare(channel, order)

        async def publish() -> None:
            message = Message(
                msgspec.json.encode({"sent_ns": STAMP}), delivery_mode=DeliveryMode.PERSISTENT, priority=order.priority
            )
            await channel.default_exchange.publish(message, order.queue, mandatory=True)

        await publish_side_by_side(publish, count=order.count, window=int(order.settings["window"]))


async def _consume(order: Order, tally: Tally) -> None:
    async with await aio_pika.connect(order.url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=int(order.settings["prefetch"]))

        async def handle(message: AbstractIncomingMessage) -> None:
            tally.start(msgspec.json.decode(message.body)["sent_ns"])
            await message.ack()

        await (await _declare(channel, order)).consume(handle)
        await until_told()


if __name__ == "__main__":
    run_async(produce=_produce, consume=_consume)
