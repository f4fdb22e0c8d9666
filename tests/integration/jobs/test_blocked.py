"""A broker that is short of memory: whoever publishes is blocked, whoever only consumes is not."""

from typing import cast
from urllib.parse import urlsplit

import aio_pika
import aiormq
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from deploy.local import open_instance
from deploy.local.run_record import read_record
from services.scheduler.probe_lanes import LaneProbes
from shared.jobs import declare_topology, open_session
from shared.jobs.blocked import is_blocked, watch_blocked
from shared.jobs.depths import count_messages
from shared.jobs.topology import work_queue
from tests.broker_control import BrokerControl
from tests.waiting import until

QUEUE = work_queue("health")


@pytest.fixture
def short_of_memory(servers, enterable_directory):
    """The memory alarm of the session's private broker, for as long as the context lasts."""
    instance = open_instance({"INSTADISTRO_STATE": str(enterable_directory / "servers")})
    record = read_record(instance.run_file)
    assert record is not None
    assert record.ports["rabbitmq"] == urlsplit(servers.amqp).port
    return BrokerControl(instance, epmd_port=record.ports["epmd"]).short_of_memory


def shown(role):
    return REGISTRY.get_sample_value("instadistro_broker_blocked", {"role": role})


async def publish(connection):
    """Publish to nowhere, without waiting for anything."""
    channel = await connection.channel(publisher_confirms=False)
    await channel.default_exchange.publish(aio_pika.Message(b""), "nowhere", mandatory=False)


async def test_a_blocked_connection_is_shown_and_each_change_is_told_once(amqp_url, short_of_memory):
    """From its first publish under the alarm to the end of either; one that only listens is never blocked."""

    def all_shown(*expected):
        async def reached():
            return [shown(role) for role in ("publisher", "short-lived", "listener")] == [*expected]

        return reached

    publisher, short_lived, listener = [await aio_pika.connect(amqp_url) for _ in range(3)]
    with capture_logs() as logs:
        async with (
            publisher,
            listener,
            watch_blocked(publisher, role="publisher"),
            watch_blocked(listener, role="listener"),
        ):
            async with short_of_memory():
                async with watch_blocked(short_lived, role="short-lived"):
                    before = await all_shown(0, 0, 0)()
                    await publish(publisher)
                    await publish(short_lived)
                    await until(all_shown(1, 1, 0), what="two blocked connections")
                    during = await is_blocked(publisher), await is_blocked(listener)
                ended = await all_shown(1, 0, 0)()
            await until(all_shown(0, 0, 0), what="the end of the alarm")
            await short_lived.close()

    assert before
    assert during == (True, False)
    assert ended
    told = [(line["event"], line["connection"]) for line in logs]
    assert sorted(told[:2]) == [("broker.blocked", "publisher"), ("broker.blocked", "short-lived")]
    assert told[2:] == [("broker.unblocked", "publisher")]


async def test_an_alarm_stops_neither_consumer_nor_observer(engine, short_of_memory):
    """The queue that fills the memory is emptied to the last job and probe, and can be watched meanwhile."""
    probes = LaneProbes()
    async with (
        open_session((engine.amqp_url,), name="test-observer") as session,
        open_session((engine.amqp_url,), name="test-probes") as sending,
    ):
        await declare_topology(session.connection)
        await probes.listen(session)
        channel = await sending.connection.channel(publisher_confirms=False)
        for number in range(10):
            await engine.add(f"job-{number}")
        await engine.relay()
        await probes.send(cast(aiormq.Channel, await channel.get_underlay_channel()))

        async with short_of_memory():
            counted = (await count_messages(session.channel))[QUEUE]
            async with engine.consuming(slots=2):
                await engine.wait_for(10)

                async def empty():
                    return (await count_messages(session.channel))[QUEUE] == 0

                await until(empty, what="the empty queue")

    assert counted == 15
