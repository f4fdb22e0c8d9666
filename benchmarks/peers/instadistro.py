"""The engine itself, wired as a service wires it: queue, sender, consumer, and a database behind them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.peers.protocol import STAMP, Order, say, until_told
from benchmarks.peers.roles import run_async
from benchmarks.peers.tally import Tally
from shared.database import Pool, create_pool
from shared.jobs import (
    Consumer,
    Handler,
    Job,
    JobOptions,
    JobPriority,
    JobQueue,
    JobType,
    Payload,
    Sender,
    Transient,
    create_critical_job_options,
    create_very_low_priority_job_options,
    get_job_options_by_type,
)
from shared.jobs.run import Run
from shared.logs import configure_logs

# A type of the service whose queue is measured; what its jobs carry is the benchmark's own.
_TYPE = JobType.HEALTH_CHECK
_SERVICE = "health"
_OPTIONS = {
    JobPriority.CRITICAL.amqp: create_critical_job_options(),
    JobPriority.VERY_LOW.amqp: create_very_low_priority_job_options(),
}
_DRAIN_S = 10.0


class Timed(Payload, frozen=True, kw_only=True):
    """A job that carries when it was sent, by the machine's monotonic clock in nanoseconds; 0: it does not matter."""

    sent_ns: int


def _options(order: Order) -> JobOptions:
    return _OPTIONS.get(order.priority or 0, get_job_options_by_type(_TYPE))


@asynccontextmanager
async def _opened(order: Order) -> AsyncIterator[tuple[Pool, Sender]]:
    configure_logs(service="bench", level="warning", log_format="console")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(order.database, application_name="bench"))
        sender = Sender([order.url], name="bench-sender")
        stack.push_async_callback(sender.close)
        await sender.ready()
        yield pool, sender


async def _produce(order: Order) -> None:
    async with _opened(order) as (pool, sender):
        items = [Timed(sent_ns=STAMP) for _ in range(order.count)]
        began = time.perf_counter()
        await JobQueue(sender, pool).add_many(_TYPE, items, _options(order))
        say(seconds=time.perf_counter() - began)


async def _work(order: Order, run: Run) -> None:
    async with _opened(order) as (pool, sender):
        consumer = Consumer(
            service=_SERVICE,
            urls=[order.url],
            slots=int(order.settings["prefetch"]),
            handlers={_TYPE: Handler(payload=Timed, run=run)},
            sender=sender,
            pool=pool,
            drain_s=_DRAIN_S,
        )
        stop = asyncio.Event()
        working = asyncio.create_task(consumer.run(stop))
        telling = asyncio.create_task(until_told())
        await asyncio.wait([working, telling], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await working


async def _consume(order: Order, tally: Tally) -> None:

    async def run(_job: Job, payload: Timed) -> None:
        tally.start(payload.sent_ns)

    async def run_for_a_while(_job: Job, payload: Timed) -> None:
        tally.start(payload.sent_ns)
        if not payload.sent_ns:
            # Of equal length, jobs begun together would end together, and all slots be free or busy at once.
            await asyncio.sleep(order.hold_ms / 1000 * random.uniform(0.5, 1.5))  # noqa: S311 - a spread, no secret

    await _work(order, run_for_a_while if order.hold_ms else run)


async def _retry(order: Order, tally: Tally) -> None:
    """Each job fails at its first start; what is measured is the time from there to its second."""
    failed_ns: dict[str, int] = {}

    async def run(job: Job, _payload: Timed) -> None:
        now = time.monotonic_ns()
        if job.attempt == 1:
            failed_ns[job.id] = now
            raise Transient("fails once, as the benchmark wants it")
        tally.measure(now - failed_ns.pop(job.id))

    await _work(order, run)


if __name__ == "__main__":
    run_async(produce=_produce, consume=_consume, retry=_retry)
