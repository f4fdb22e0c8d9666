"""Brokers that are away, closed, emptied, otherwise declared, unattended or short of memory."""

from __future__ import annotations

import asyncio
import os
import secrets
from urllib.parse import quote, urlsplit

import aio_pika
import aiohttp
import pytest

from deploy.doctor import Level
from deploy.local import open_instance
from deploy.local.binaries import find_binaries
from deploy.local.run_record import read_record
from shared.jobs.topology import work_queue
from tests.waiting import until

PASSWORD = secrets.token_hex(16)
QUEUE = work_queue("publisher")


@pytest.fixture
async def channel(patient):
    """A channel to break things by."""
    channel = await patient.broker.channel()
    yield channel
    await channel.close()


async def test_a_broker_that_does_not_let_us_in_is_one_finding(patient):
    """Each reason has its own words, and none the password."""
    url = patient.environ["AMQP_URL"]
    place = urlsplit(url).netloc.rpartition("@")[2]
    refusals = {
        "refuses the password of the user 'instadistro'": f"amqp://instadistro:{PASSWORD}@{place}/%2F",
        "has no virtual host 'lost'": f"{url.rpartition('/')[0]}/lost",
        "nobody listens there": f"amqp://me:{PASSWORD}@127.0.0.1:1/",
        "its host name is not known": f"amqp://me:{PASSWORD}@nope.invalid/",
        "does not speak TLS": f"amqps://me:{PASSWORD}@{place}/",
        "hangs up before it has answered": f"amqp://me:{PASSWORD}@{urlsplit(patient.environ['PUBLIC_URL']).netloc}/",
    }

    for words, broken in refusals.items():
        patient.environ["AMQP_URL"] = broken
        finding = await patient.only_ill("rabbitmq.connects")

        assert words in finding.says
        assert PASSWORD not in finding.says + finding.do


async def test_a_broker_of_several_that_is_away_is_a_warning(patient):
    """The next one serves, and the first is told all the same."""
    url = patient.environ["AMQP_URL"]
    away = urlsplit(url)._replace(netloc=f"me:{PASSWORD}@127.0.0.1:1").geturl()
    patient.environ["AMQP_URL"] = f"{away},{url}"

    finding = await patient.only_ill("rabbitmq.connects", Level.WARNING)

    assert "nobody listens there. The next in AMQP_URL does." in finding.says


async def test_a_queue_that_is_gone_is_found(patient, channel):
    """It is named, with what makes it again."""
    await channel.queue_delete(QUEUE)

    finding = await patient.only_ill("rabbitmq.topology")

    assert finding.says == f"RabbitMQ lacks the queue {QUEUE}."
    assert "instadistro migrate" in finding.do


async def test_a_queue_with_other_arguments_is_found(patient, channel):
    """Declared by somebody else without priorities: no service would start."""
    await channel.queue_delete(QUEUE)
    foreign = await channel.declare_queue(QUEUE, durable=True)
    await foreign.bind("jobs", "*.publisher.#")
    await foreign.consume(_drop)

    finding = await patient.only_ill("rabbitmq.arguments")

    assert f"holds the queue {QUEUE} with other arguments" in finding.says


async def _drop(message):
    await message.ack()


async def test_a_queue_that_nobody_consumes_is_found(patient, channel):
    """A warning while it is empty, a failure once jobs wait in it."""
    await channel.queue_delete(QUEUE)
    arguments = {"x-max-priority": 5, "x-queue-mode": "lazy"}
    queue = await channel.declare_queue(QUEUE, durable=True, arguments=arguments)
    await queue.bind("jobs", "*.publisher.#")
    empty = await patient.only_ill("rabbitmq.consumers", Level.WARNING)
    await channel.default_exchange.publish(aio_pika.Message(b""), QUEUE)
    waiting = await patient.only_ill("rabbitmq.consumers")

    assert empty.says == f"Nobody consumes the queue {QUEUE}: no publisher runs."
    assert waiting.says == f"1 message in the queue {QUEUE}, and nobody consumes it."


async def test_a_queue_that_is_not_bound_is_found(patient, channel):
    """Jobs would find no way into it."""
    queue = await channel.get_queue(QUEUE)
    await queue.unbind("jobs", "*.publisher.#")

    finding = await patient.only_ill("management.bindings")

    assert f"Nothing leads into {QUEUE}" in finding.says


async def test_a_management_api_that_does_not_serve_is_found(patient):
    """Wrong password, nobody there, another server, another broker's view."""
    parts = urlsplit(patient.environ["AMQP_MANAGEMENT_URL"])
    place = parts.netloc.rpartition("@")[2]
    broken = {
        "refuses the user or the password": f"http://instadistro:{PASSWORD}@{place}",
        "nobody listens there": f"http://instadistro:{PASSWORD}@127.0.0.1:1",
        "is no management API": f"{patient.environ['PUBLIC_URL'].replace('://', f'://me:{PASSWORD}@')}",
    }

    for words, url in broken.items():
        patient.environ["AMQP_MANAGEMENT_URL"] = url
        finding = await patient.only_ill("management.answers")

        assert words in finding.says
        assert PASSWORD not in finding.says + finding.do


@pytest.mark.parametrize(
    ("rights", "check", "words"),
    [
        ({"configure": "^$", "write": ".*", "read": ".*"}, "rabbitmq.arguments", "may not declare"),
        ({"configure": ".*", "write": "^$", "read": ".*"}, "rabbitmq.publishes", "may not publish"),
    ],
)
async def test_a_user_without_rights_is_found(patient, servers, rights, check, words):
    """The user comes in, and may not do what the services do."""
    del servers
    parts, url = urlsplit(patient.environ["AMQP_MANAGEMENT_URL"]), urlsplit(patient.environ["AMQP_URL"])
    base, vhost = f"http://{parts.hostname}:{parts.port}/api", quote(url.path.removeprefix("/"), safe="")
    login = {"Authorization": aiohttp.encode_basic_auth(parts.username or "", parts.password or "")}
    name = f"user-{secrets.token_hex(8)}"
    async with aiohttp.ClientSession(headers=login, raise_for_status=True) as http:
        await http.put(f"{base}/users/{name}", json={"password": PASSWORD, "tags": ""})
        await http.put(f"{base}/permissions/{vhost}/{name}", json=rights)
        patient.environ["AMQP_URL"] = url._replace(netloc=f"{name}:{PASSWORD}@{url.hostname}:{url.port}").geturl()
        try:
            finding = await patient.only_ill(check)
        finally:
            await http.delete(f"{base}/users/{name}")

    assert words in finding.says


@pytest.fixture
def control(servers, enterable_directory):
    """Runs a command of rabbitmqctl on the session's private server."""
    del servers
    instance = open_instance({"INSTADISTRO_STATE": str(enterable_directory / "servers")})
    server, record = find_binaries().rabbitmq_server, read_record(instance.run_file)
    assert server is not None
    assert record is not None
    environ = {
        "PATH": f"{os.environ['PATH']}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(instance.directory / "rabbitmq"),
        "RABBITMQ_NODENAME": "instadistro@localhost",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "ERL_EPMD_PORT": str(record.ports["epmd"]),
    }

    async def run(*words):
        process = await asyncio.create_subprocess_exec(
            server.with_name("rabbitmqctl"), "--quiet", *words, env=environ, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0
        return said.decode().strip()

    return run


async def test_a_broker_that_is_short_of_memory_is_found(patient, control):
    """It takes nothing that is published; all that was there before is still well."""
    usual = await control("eval", "vm_memory_monitor:get_vm_memory_high_watermark().")
    try:
        await control("set_vm_memory_high_watermark", "0.0000001")
        finding = await patient.only_ill("rabbitmq.publishes")
    finally:
        await control("set_vm_memory_high_watermark", usual)

    assert "short of memory or disk" in finding.says

    async def well():
        return not await patient.ills("rabbitmq")

    await until(well, what="the end of the alarm")
