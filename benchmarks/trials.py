"""What a case is made of: a subject's producer, or the load and a subject's worker, on a virtual host of their own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, replace

import aio_pika

from benchmarks.peers.protocol import Order
from benchmarks.processes import Answering, BenchmarkError, answering
from benchmarks.servers import Servers, virtual_host
from benchmarks.subjects import Settings, Subject

LOAD = "benchmarks.peers.load"
# Priorities on the wire.
CRITICAL = 5
VERY_LOW = 1

_START_S = 60.0
# Nobody is slower than this; what takes longer has got stuck.
_SLOWEST_PER_S = 200.0


@dataclass(frozen=True, kw_only=True)
class Waits:
    """What a worker made of a flow of jobs."""

    ms: list[float]  # from sending to the handler's start, in the order of the starts
    begun: int  # jobs of any kind that had started by then
    per_s: float  # the pace at which they really came


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One subject on a virtual host of its own."""

    subject: Subject
    order: Order  # what all its processes are told; each gets its role beside it

    def run(self, order: Order, *, module: str | None = None) -> AbstractAsyncContextManager[Answering]:
        """Run a process of this trial while the context lasts; `module` None is the subject's own."""
        name = f"{self.subject.name} ({order.role})"
        python = self.subject.python if module is None else None
        return answering(name, module or self.subject.module, json.dumps(asdict(order)), python=python)

    async def enqueue(self, count: int, settings: Settings, *, priority: int | None = None) -> float:
        """Have the subject's own producer enqueue jobs; returns the seconds from the first publish to the last confirm.

        Args:
            count: how many.
            settings: of the producer.
            priority: on the wire; None leaves it to the trial.
        """
        order = replace(
            self.order, role="produce", count=count, settings=settings, priority=priority or self.order.priority
        )
        async with self.run(order) as producer:
            seconds: float = (await producer.answer(deadline_s=deadline_s(count)))["seconds"]
        return seconds

    async def fill(self, count: int) -> None:
        """Let `count` jobs wait in the queue."""
        await self.enqueue(1, self.subject.enqueue[0])
        async with self.run(replace(self.order, role="fill", count=count), module=LOAD) as load:
            await load.answer(deadline_s=_START_S)
            await load.answer(deadline_s=deadline_s(count))

    async def drain(self, count: int, settings: Settings) -> float:
        """Have a worker do the `count` jobs that wait; returns the seconds from its first start to its last.

        Raises:
            BenchmarkError: it did not acknowledge all of them, so the figure would count work that was not finished.
        """
        async with self.run(replace(self.order, role="consume", count=count, settings=settings)) as worker:
            seconds: float = (await worker.answer(deadline_s=deadline_s(count)))["seconds"]
        left = await self._waiting()
        if left:
            raise BenchmarkError(f"{self.subject.name} left {left} of {count} jobs unacknowledged.")
        return seconds

    async def flow(self, order: Order) -> Waits:
        """Have a worker take jobs as they come, beside those that wait already.

        Args:
            order: the worker's; its `count`, `rate_per_s` and `priority` are those of the jobs that come.
        """
        await self.enqueue(1, self.subject.enqueue[0], priority=order.priority)
        limit_s = deadline_s(order.count) + order.count / order.rate_per_s
        async with self.run(replace(order, role="flow"), module=LOAD) as load:
            await load.answer(deadline_s=_START_S)
            async with self.run(replace(order, timed=True)) as worker:
                seconds = (await load.answer(deadline_s=limit_s))["seconds"]
                answer = await worker.answer(deadline_s=limit_s)
        return Waits(ms=answer["waits_ms"], begun=answer["begun"], per_s=order.count / seconds)

    async def _waiting(self) -> int:
        """Jobs in the queue that no worker holds."""
        async with await aio_pika.connect(self.order.url, timeout=_START_S) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(self.subject.queue, passive=True, timeout=_START_S)
            return queue.declaration_result.message_count or 0


@asynccontextmanager
async def fresh_trial(servers: Servers, subject: Subject, *, priorities: bool = False) -> AsyncIterator[Trial]:
    """A trial on a new virtual host.

    Args:
        servers: where.
        subject: who.
        priorities: give the queue priorities; jobs have the lowest unless said otherwise. The engine's queue always
            has them, and its jobs then have those of their type.
    """
    async with virtual_host(servers) as url:
        order = Order(
            role="",
            url=url,
            database=servers.database,
            queue=subject.queue,
            count=0,
            priority=VERY_LOW if priorities else None,
        )
        yield Trial(subject=subject, order=order)


def deadline_s(count: int) -> float:
    """How long to wait for so many jobs before something must be stuck."""
    return _START_S + count / _SLOWEST_PER_S
