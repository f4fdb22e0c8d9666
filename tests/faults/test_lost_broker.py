"""A broker that dies, with its data and without: workers go on by themselves, and what was promised to be kept is."""

import asyncio
import io
import os
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import pytest_asyncio

from deploy.local import Log, System, free_ports, open_instance
from deploy.local.servers import server_urls
from services.scheduler.relay_outbox import relay_once
from services.scheduler.run_recurring import fire_once
from shared.jobs import JobType, NotSentError, create_high_priority_job_options
from shared.lifecycle import repeat
from tests.faults.ground import open_ground
from tests.faults.worker import Errand
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
SLOTS = 8
_ADD_EVERY_S = 0.01


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(servers, enterable_directory):
    """A RabbitMQ of these tests' own, which they may kill."""
    environ = {"PATH": os.environ["PATH"], "DATABASE_URL": servers.database, "REDIS_URL": servers.redis}
    instance = open_instance({"INSTADISTRO_STATE": str(enterable_directory / "broker")})
    instance.create()
    with free_ports() as ports:
        private = System(instance, ports, environ=environ, log=Log(io.StringIO()), servers_only=True, durable=False)
        async with private as system:
            yield system


@pytest_asyncio.fixture(loop_scope="module")
async def ground(broker, database_url, tmp_path):
    """The ground on that broker."""
    amqp_url = server_urls(broker.instance, broker.ports)["amqp"]
    async with open_ground(database_url=database_url, amqp_url=amqp_url, directory=tmp_path) as found:
        yield found


async def test_a_broker_that_crashes_under_load_keeps_what_it_confirmed(ground, broker):
    """Its worker connects anew by itself, and every job whose addition was confirmed ends, before as after."""
    waiting = await ground.add(*[Errand(lasts_s=0.03)] * 100)
    async with ground.kept(slots=SLOTS):
        async with adding(ground) as confirmed:
            await ground.until_ended(30)
            back = broker.expect("rabbitmq", "ready")
            broker.kill("rabbitmq")
            await back
            began = len(ground.record("started"))
            await until(grown(confirmed), what="confirms of the broker that is back")
        await ground.until_ended([*waiting, *confirmed])

    after = ground.record("started")[began:]
    assert len(ground.lives) == 1
    assert await ground.dead() == []
    # The broker that is back calls all it kept redelivered; that must not make suspects of all of them.
    assert sum(entry.beside == 0 for entry in after) < len(after) / 2


async def test_a_broker_that_lost_everything_is_filled_again(ground, broker):
    """What waits in the outbox and what recurs comes through, to the worker that was there all the time."""
    async with ground.kept(slots=SLOTS):
        await ground.until_ended(await ground.add(Errand()))
        back = broker.expect("rabbitmq", "ready")
        broker.wipe_rabbitmq()
        async with ground.pool.acquire() as tx, tx.transaction():
            jobs = await ground.queue.add_many(JobType.HEALTH_CHECK, [Errand()] * 20, tx=tx)
        options = create_high_priority_job_options(repeat={"every": 200}, unique_key="again and again")
        repeated = await ground.queue.add(JobType.HEALTH_CHECK, Errand(), options)
        await back

        async with scheduling(ground):
            await ground.until_ended(jobs)
            await ground.until_ended([repeated], times=3)

    assert len(ground.lives) == 1
    assert await ground.dead() == []


@asynccontextmanager
async def adding(ground):
    """The ids of the jobs whose addition the broker confirmed, one after the other for as long as the context lasts."""
    confirmed = []

    async def go_on():
        while True:
            with suppress(NotSentError):  # then nobody promised anything
                confirmed.extend(await ground.add(Errand(lasts_s=0.01)))
            await asyncio.sleep(_ADD_EVERY_S)

    going = asyncio.create_task(go_on())
    try:
        yield confirmed
    finally:
        going.cancel()


def grown(confirmed):
    """Whether more jobs were confirmed since this call."""
    before = len(confirmed)

    async def has_grown():
        return len(confirmed) > before

    return has_grown


@asynccontextmanager
async def scheduling(ground):
    """The scheduler's relay and its recurring jobs at work."""
    stop = asyncio.Event()
    relay = partial(relay_once, ground.pool, ground.sender, batch=100)
    loops = [
        asyncio.create_task(repeat(relay, name="relay", every_s=0.05, stop=stop)),
        asyncio.create_task(repeat(partial(fire_once, ground.pool), name="recurring", every_s=0.05, stop=stop)),
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*loops)
