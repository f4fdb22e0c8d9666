"""The three real servers under supervision."""

from __future__ import annotations

import asyncio
import io
import os

import aio_pika
import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

from deploy.local import Log, System, free_ports
from deploy.local.process_identity import birth
from deploy.local.servers import server_urls

_RESTART_DEADLINE_S = 60


@pytest.fixture(scope="module")
def ports():
    with free_ports() as found:
        yield found


@pytest.fixture
def output():
    return io.StringIO()


async def rows(url):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS visits (at int)")
        await connection.execute("INSERT INTO visits VALUES (1)")
        return await connection.fetchval("SELECT count(*) FROM visits")
    finally:
        await connection.close()


async def queue_is_known(url):
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        try:
            await channel.declare_queue("kept", passive=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            channel = await connection.channel()
            await channel.declare_queue("kept", durable=True)
            return False
        return True


def listeners(pid):
    """The addresses a server and its children listen on."""
    tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    sockets = [item for process in tree for item in process.net_connections(kind="inet")]
    return {(item.laddr.ip, item.laddr.port) for item in sockets if item.status == psutil.CONN_LISTEN}


async def test_private_servers_survive_crashes_and_keep_their_data(instance, ports, output):
    """After kill -9 each server starts again: PostgreSQL with its rows, a wiped RabbitMQ empty. A stop ends all."""
    environ = {"PATH": os.environ["PATH"]}
    private = System(instance, ports, environ=environ, log=Log(output), servers_only=True)
    async with private as system:
        urls = server_urls(instance, ports)
        names = ("epmd", "postgres", "redis", "rabbitmq")
        pids = {name: system.pid(name) for name in names}
        assert {psutil.Process(pid).username() for pid in pids.values()} == {instance.account.name}
        assert psutil.Process(pids["postgres"]).uids().real != 0
        found = {address for pid in pids.values() for address in listeners(pid)}
        assert {host for host, _ in found} <= {"127.0.0.1", "::1"}
        assert {port for _, port in found} == {
            ports.epmd,
            ports.postgres,
            ports.redis,
            ports.rabbitmq,
            ports.rabbitmq_management,
            ports.rabbitmq_metrics,
            ports.rabbitmq_distribution,
        }
        assert await rows(urls["database"]) == 1
        assert await queue_is_known(urls["amqp"]) is False
        assert await queue_is_known(urls["amqp"]) is True

        again = [system.expect(name, "ready", deadline_s=_RESTART_DEADLINE_S) for name in names[1:]]
        system.kill("postgres")
        system.kill("redis")
        system.wipe_rabbitmq()
        await asyncio.gather(*again)
        await system.wait_ready()

        assert not {system.pid(name) for name in names[1:]} & set(pids.values())
        assert await rows(urls["database"]) == 2
        assert await queue_is_known(urls["amqp"]) is False
        async with Redis.from_url(urls["redis"]) as client:
            assert await client.ping()
        last = [system.pid(name) for name in names]

    assert [birth(pid) for pid in last if pid is not None] == [None] * len(names)

    # The second start finds the rows of the first, and starts no server that the user names an URL for.
    given = {**environ, "REDIS_URL": urls["redis"], "AMQP_URL": urls["amqp"]}
    async with System(instance, ports, environ=given, log=Log(output), servers_only=True) as system:
        assert await rows(urls["database"]) == 3
        with pytest.raises(KeyError):
            system.pid("redis")
