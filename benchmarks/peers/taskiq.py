"""taskiq with taskiq-aio-pika: persistent messages, confirms (aio-pika's default), ack once the task was executed."""

from __future__ import annotations

import asyncio

from taskiq import AsyncBroker
from taskiq.acks import AcknowledgeType
from taskiq.api import run_receiver_task
from taskiq_aio_pika import AioPikaBroker, Queue, QueueType

from benchmarks.peers.protocol import STAMP, Order, until_told
from benchmarks.peers.publishing import publish_side_by_side
from benchmarks.peers.roles import run_async
from benchmarks.peers.tally import Tally


def _broker(order: Order, *, prefetch: int = 0) -> AioPikaBroker:
    # Its own default is a quorum queue; every subject of this comparison works on a classic one.
    queue = Queue(name=order.queue, type=QueueType.CLASSIC, max_priority=5 if order.priority else None)
    dead = Queue(name=f"{order.queue}.dead", type=QueueType.CLASSIC)
    return AioPikaBroker(order.url, qos=prefetch, task_queues=[queue], dead_letter_queue=dead)


async def _produce(order: Order) -> None:
    broker = _broker(order)

    async def handle(sent_ns: int) -> None:
        """Only the worker's counterpart does anything."""

    task = broker.register_task(handle, task_name="noop")
    kicker = task.kicker() if order.priority is None else task.kicker().with_labels(priority=order.priority)
    await broker.startup()
    await publish_side_by_side(lambda: kicker.kiq(STAMP), count=order.count, window=int(order.settings["window"]))
    await broker.shutdown()


async def _consume(order: Order, tally: Tally) -> None:
    prefetch = int(order.settings["prefetch"])
    broker: AsyncBroker = _broker(order, prefetch=prefetch)

    async def handle(sent_ns: int) -> None:
        tally.start(sent_ns)

    broker.register_task(handle, task_name="noop")
    broker.is_worker_process = True
    await broker.startup()
    receiving = asyncio.create_task(
        run_receiver_task(broker, max_async_tasks=prefetch, ack_time=AcknowledgeType.WHEN_EXECUTED)
    )
    await until_told()
    receiving.cancel()
    await asyncio.wait([receiving])
    await broker.shutdown()


if __name__ == "__main__":
    run_async(produce=_produce, consume=_consume)
