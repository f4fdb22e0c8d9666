"""Celery on RabbitMQ: persistent messages (its default), `confirm_publish`, `acks_late`, no result backend."""

from __future__ import annotations

from celery import Celery
from kombu import Queue

from benchmarks.peers.protocol import STAMP, Order
from benchmarks.peers.publishing import publish_in_threads
from benchmarks.peers.roles import run_blocking
from benchmarks.peers.tally import Tally


def _app(order: Order) -> Celery:
    app = Celery("bench", broker=order.url)
    app.conf.update(
        broker_transport_options={"confirm_publish": True},
        broker_pool_limit=int(order.settings.get("threads", 1)),
        task_acks_late=True,
        task_ignore_result=True,
        task_queues=[Queue(order.queue, max_priority=5 if order.priority else None)],
        task_default_queue=order.queue,
        worker_enable_remote_control=False,
        worker_prefetch_multiplier=int(order.settings.get("multiplier", 1)),
    )
    return app


def _produce(order: Order) -> None:
    app = _app(order)

    def publish() -> None:
        app.send_task("noop", args=(STAMP,), priority=order.priority)

    publish_in_threads(publish, count=order.count, threads=int(order.settings["threads"]))


def _work(order: Order, tally: Tally) -> None:
    app = _app(order)
    app.task(tally.start, name="noop", typing=False)
    pool, concurrency = str(order.settings["pool"]), str(order.settings["concurrency"])
    quiet = ["--without-gossip", "--without-mingle", "--loglevel=WARNING"]
    app.worker_main(["worker", f"--pool={pool}", f"--concurrency={concurrency}", *quiet])


if __name__ == "__main__":
    run_blocking(produce=_produce, consume=_work)
