"""A worker of the health queue as a process of its own: each job's payload tells it what to do, a file what it did.

`ORDERS` in its environment holds its `Orders`. It ends at SIGTERM, and when its standard input does: then whoever
started it is gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import msgspec
import uvloop

from shared.database import create_pool
from shared.errors import InstaDistroError
from shared.jobs import Consumer, Handler, JobType, Payload, Sender
from shared.lifecycle import serve_probes
from shared.logs import configure_logs

RECORD, HOLD, DIE = "record", "hold", "die"
_LOOK_AGAIN_S = 0.005


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """How to run."""

    amqp_url: str
    database_url: str
    directory: str  # of the record, and of the files that hold jobs up
    port: int  # of probes and metrics
    slots: int = 16
    drain_s: float = 5.0
    watch_s: float = 5.0


class Errand(Payload, frozen=True, kw_only=True):
    """What one job does."""

    lasts_s: float = 0.0
    holds: bool = False  # goes on for as long as there is a file `hold`
    dies: bool = False  # kills its process once there is a file `die`


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the record."""

    event: str  # started, ended, canceled
    subject: str
    attempt: int
    pid: int
    beside: int  # jobs that ran in the process at this moment, not counting this one


class Hands:
    """The handler, and the record of what it did."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # Each line is one write to the end of the file: a killed process leaves whole lines, and all of them.
        self._record = os.open(directory / RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._running = 0

    async def run(self, job, errand):
        with self._recorded(job):
            while errand.holds and (self._directory / HOLD).exists():  # noqa: ASYNC110 - the test is another process
                await asyncio.sleep(_LOOK_AGAIN_S)
            while errand.dies:
                if (self._directory / DIE).exists():
                    os.kill(os.getpid(), signal.SIGKILL)
                await asyncio.sleep(_LOOK_AGAIN_S)
            await asyncio.sleep(errand.lasts_s)

    @contextmanager
    def _recorded(self, job):
        self._note("started", job)
        self._running += 1
        event = "canceled"
        try:
            yield
            event = "ended"
        finally:
            self._running -= 1
            self._note(event, job)

    def _note(self, event, job):
        entry = Entry(event=event, subject=job.subject, attempt=job.attempt, pid=os.getpid(), beside=self._running)
        os.write(self._record, msgspec.json.encode(entry) + b"\n")


async def serve(orders: Orders) -> None:
    """Work until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(sys.stdin, stop.set)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(orders.database_url, application_name="worker"))
        sender = Sender((orders.amqp_url,), name="worker-sender")
        stack.push_async_callback(sender.close)
        consumer = Consumer(
            service="health",
            urls=(orders.amqp_url,),
            slots=orders.slots,
            handlers={JobType.HEALTH_CHECK: Handler(payload=Errand, run=Hands(Path(orders.directory)).run)},
            sender=sender,
            pool=pool,
            drain_s=orders.drain_s,
            watch_s=orders.watch_s,
        )
        checks = {"broker": consumer.ready}
        await stack.enter_async_context(serve_probes(host="127.0.0.1", port=orders.port, checks=checks))
        await consumer.run(stop)


def main() -> int:
    """Exit status 0 after an orderly stop, 1 after a failure."""
    configure_logs(service="worker", level="info", log_format="json")
    try:
        uvloop.run(serve(msgspec.json.decode(os.environ["ORDERS"], type=Orders)))
    except InstaDistroError as error:
        print(error, file=sys.stderr)  # noqa: T201 - its last word
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
