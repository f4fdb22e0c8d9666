"""FastStream on RabbitMQ: persistent messages, confirms (its channels' default), ack once the handler is done."""

from __future__ import annotations

from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue

from benchmarks.peers.protocol import STAMP, Order, until_told
from benchmarks.peers.publishing import publish_side_by_side
from benchmarks.peers.roles import run_async
from benchmarks.peers.tally import Tally


def _queue(order: Order) -> RabbitQueue:
    return RabbitQueue(order.queue, durable=True, arguments={"x-max-priority": 5} if order.priority else None)


async def _produce(order: Order) -> None:
    async with RabbitBroker(order.url, default_channel=Channel(on_return_raises=True), logger=None) as broker:
        await broker.declare_queue(_queue(order))

        async def publish() -> None:
            await broker.publish({"sent_ns": STAMP}, order.queue, persist=True, priority=order.priority)

        await publish_side_by_side(publish, count=order.count, window=int(order.settings["window"]))


async def _consume(order: Order, tally: Tally) -> None:
    broker = RabbitBroker(order.url, logger=None, apply_types=bool(order.settings["types"]))

    async def handle(body: dict[str, int]) -> None:
        tally.start(body["sent_ns"])

    channel = Channel(prefetch_count=int(order.settings["prefetch"]))
    broker.subscriber(_queue(order), channel=channel, ack_policy=AckPolicy.NACK_ON_ERROR)(handle)
    await broker.start()
    await until_told()
    await broker.stop()


if __name__ == "__main__":
    run_async(produce=_produce, consume=_consume)
