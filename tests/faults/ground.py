"""The ground of the fault tests: workers in processes of their own on a real broker, and what they left on record."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import aio_pika
import aiohttp
import msgspec

from deploy.local import free_ports
from services.scheduler.park_dead_jobs import park_dead_jobs
from shared.database import create_pool
from shared.jobs import JobQueue, JobType, Sender, keep_session
from shared.jobs.topology import work_queue
from tests.faults.worker import DIE, HOLD, RECORD, Entry, Orders
from tests.waiting import until

QUEUE = work_queue("health")
_END_DEADLINE_S = 20.0
_WORKER = (sys.executable, "-P", "-m", "tests.faults.worker")


class Ground:
    """One virtual host and one database; workers come and go."""

    def __init__(self, *, pool, database_url, amqp_url, directory, port, http):
        self.pool, self.directory, self.amqp_url = pool, directory, amqp_url
        self.sender = Sender((amqp_url,), name="test-sender")
        self.queue = JobQueue(self.sender, pool)
        self.lives = []
        self._entries = []
        (directory / RECORD).touch()
        self._record = (directory / RECORD).open("rb")
        self._http = http
        self._orders = Orders(database_url=database_url, amqp_url=amqp_url, directory=str(directory), port=port)

    async def add(self, *errands):
        """Add jobs, confirmed by the broker; returns their ids, which are their subjects."""
        return await self.queue.add_many(JobType.HEALTH_CHECK, errands)

    def hold(self):
        """Errands that hold go no further from now on."""
        (self.directory / HOLD).touch()

    def release(self):
        """They go on."""
        (self.directory / HOLD).unlink()

    def let_die(self):
        """Errands that die do so from now on."""
        (self.directory / DIE).touch()

    async def start(self, **orders):
        """A worker that is consuming; nobody starts it again."""
        process = await self._spawn(orders)
        await self.ready()
        return process

    @asynccontextmanager
    async def kept(self, **orders):
        """A worker that is started again whenever it dies; it ends with the context, in good order."""
        keeping = asyncio.create_task(self._keep(orders))
        try:
            yield
            self.lives[-1].send_signal(signal.SIGTERM)
            async with asyncio.timeout(_END_DEADLINE_S):
                await keeping
        finally:
            keeping.cancel()

    async def ready(self):
        """Wait until a worker consumes."""

        async def consuming():
            with suppress(aiohttp.ClientError):
                async with self._http.get(f"{self._internal}/readyz") as answer:
                    return answer.status == 200

        await until(consuming, what="a worker that consumes")

    async def metric(self, sample):
        """What the worker says of one sample, with its labels; 0 where it says nothing yet."""
        with suppress(aiohttp.ClientError):
            async with self._http.get(f"{self._internal}/metrics") as answer:
                lines = (await answer.text()).splitlines()
                return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{sample} ")), 0.0)
        return 0.0

    def record(self, event=None):
        """All that the workers did so far, in order; or all of one kind."""
        told = self._record.read()
        whole = told[: told.rfind(b"\n") + 1]
        # A line that is half written is found by the next look.
        self._record.seek(len(whole) - len(told), os.SEEK_CUR)
        self._entries += [msgspec.json.decode(line, type=Entry) for line in whole.splitlines()]
        return [entry for entry in self._entries if event in {None, entry.event}]

    def counts(self, event):
        """How often each job did that."""
        return Counter(entry.subject for entry in self.record(event))

    async def until_started(self, count, *, times=1):
        """Wait until so many jobs began so often."""

        async def enough():
            return sum(number >= times for number in self.counts("started").values()) >= count

        await until(enough, what=f"{count} jobs started {times} times")

    async def until_ended(self, subjects, *, times=1):
        """Wait until each of them came to its end so often; or, given a number, until so many jobs did."""

        async def all_ended():
            ended = {subject for subject, number in self.counts("ended").items() if number >= times}
            return len(ended) >= subjects if isinstance(subjects, int) else ended >= set(subjects)

        await until(all_ended, what="the end of the jobs")

    async def until_lives(self, count):
        """Wait until so many workers were started."""

        async def enough():
            return len(self.lives) >= count

        await until(enough, what=f"{count} lives of the worker")

    async def dead(self, count=0):
        """The dead jobs, once there are so many."""

        async def enough():
            rows = await self.pool.fetch("SELECT * FROM dead_jobs ORDER BY died_at")
            return rows if len(rows) >= count else None

        return await until(enough, what=f"{count} dead jobs") if count else await enough()

    async def suspects(self):
        """Jobs whose worker may have died of them, and that have not ended since."""
        return await self.pool.fetchval("SELECT count(*) FROM job_starts")

    async def waiting(self):
        """Take all messages out of the work queue and return them."""
        async with await aio_pika.connect(self.amqp_url) as connection:
            queue = await (await connection.channel()).get_queue(QUEUE)
            messages = []
            while message := await queue.get(no_ack=True, fail=False):
                messages.append(message)
            return messages

    async def delete_queue(self):
        """Delete the work queue under its consumer."""
        async with await aio_pika.connect(self.amqp_url) as connection:
            await (await connection.channel()).queue_delete(QUEUE)

    async def end(self):
        """Whatever still runs is killed."""
        self._record.close()
        with suppress(FileNotFoundError):
            sys.stdout.write((self.directory / "log").read_text())  # shown where the test failed
        for process in self.lives:
            if process.returncode is None:
                process.kill()
                await process.wait()

    @property
    def _internal(self):
        return f"http://127.0.0.1:{self._orders.port}"

    async def _keep(self, orders):
        while await (await self._spawn(orders)).wait():
            continue

    async def _spawn(self, orders):
        wanted = msgspec.structs.replace(self._orders, **orders)
        with (self.directory / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *_WORKER,
                env={"PATH": os.environ["PATH"], "ORDERS": msgspec.json.encode(wanted).decode()},
                stdin=asyncio.subprocess.PIPE,  # nobody writes to it: its end tells the worker that the test is gone
                stdout=log,
                stderr=log,
            )
        self.lives.append(process)
        return process


@asynccontextmanager
async def open_ground(*, database_url, amqp_url, directory):
    """The ground on a broker and a database, with the dead letters parked as the scheduler does."""
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(free_ports())
        pool = await stack.enter_async_context(await create_pool(database_url, application_name="test"))
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)))
        ground = Ground(
            pool=pool,
            database_url=database_url,
            amqp_url=amqp_url,
            directory=directory,
            port=ports.health_internal,
            http=http,
        )
        stack.push_async_callback(ground.sender.close)
        stack.push_async_callback(ground.end)
        stop = asyncio.Event()
        park = partial(park_dead_jobs, pool=pool, stop=stop)
        parking = asyncio.create_task(keep_session((amqp_url,), name="test-dead", stop=stop, use=park))
        try:
            yield ground
        finally:
            stop.set()
            await parking
