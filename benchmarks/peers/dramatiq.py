"""Dramatiq on RabbitMQ: persistent messages, `confirm_delivery`, ack by its worker once the actor is done."""

from __future__ import annotations

import signal

from dramatiq import Actor, Worker, set_broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from benchmarks.peers.protocol import STAMP, Order
from benchmarks.peers.publishing import publish_in_threads
from benchmarks.peers.roles import run_blocking
from benchmarks.peers.tally import Tally


def _broker(order: Order) -> RabbitmqBroker:
    broker = RabbitmqBroker(url=order.url, confirm_delivery=True, max_priority=5 if order.priority else None)
    set_broker(broker)
    return broker


def _produce(order: Order) -> None:
    options = {} if order.priority is None else {"broker_priority": order.priority}
    job = Actor(print, broker=_broker(order), actor_name="noop", queue_name=order.queue, priority=0, options={})

    def publish() -> None:
        job.send_with_options(args=(STAMP,), **options)

    publish_in_threads(publish, count=order.count, threads=int(order.settings["threads"]))


def _work(order: Order, tally: Tally) -> None:
    """What each process of Dramatiq's command line does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # its threads leave it to `sigwait`
    broker = _broker(order)
    Actor(tally.start, broker=broker, actor_name="noop", queue_name=order.queue, priority=0, options={})
    worker = Worker(broker, worker_threads=int(order.settings["threads"]))
    worker.queue_prefetch = int(order.settings["prefetch"])  # the environment's dramatiq_queue_prefetch sets the same
    worker.start()
    signal.sigwait({signal.SIGTERM})
    worker.stop()
    broker.close()


if __name__ == "__main__":
    run_blocking(produce=_produce, consume=_work)
