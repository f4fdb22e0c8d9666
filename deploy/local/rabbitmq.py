"""A private RabbitMQ and the port mapper (epmd) its Erlang needs: own node, ports, cookie, plugins; loopback only."""

from __future__ import annotations

import asyncio
import re
import signal
import struct
from pathlib import Path

import aio_pika

from deploy.local.instance import Instance
from deploy.local.part import NotYetError, Part, probe_tcp
from deploy.local.ports import LOOPBACK, Ports

USER = "instadistro"
_PROBE_DEADLINE_S = 5.0
_PROBLEMS = re.compile(r"\[(error|critical|alert|emergency)\]")
_EPMD_NAMES_REQUEST = b"\x00\x01n"


def amqp_url(*, port: int, password: str, vhost: str = "/") -> str:
    """Where the private RabbitMQ of this port is reached; `vhost` is a plain name or the default one."""
    return f"amqp://{USER}:{password}@{LOOPBACK}:{port}/{'%2F' if vhost == '/' else vhost}"


def management_url(*, port: int, password: str) -> str:
    """Where the management API of the private RabbitMQ is reached."""
    return f"http://{USER}:{password}@{LOOPBACK}:{port}"


def epmd_part(*, instance: Instance, binary: Path, port: int) -> Part:
    """Describe the port mapper: a part of its own, since the one a node would start by itself outlives the node."""

    async def probe() -> None:
        await _probe_epmd(port)

    return Part(
        name="epmd",
        command=(str(binary), "-port", str(port), "-address", LOOPBACK),
        environment={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
        probe=probe,
        waits_for=f"its answer on {LOOPBACK}:{port}",
        stop_deadline_s=5.0,
        account=instance.account,
        directory=Path("/"),
        port=port,
        log_file=instance.logs / "epmd.log",
    )


def rabbitmq_part(
    *, instance: Instance, script: Path, erlang: Path, ports: Ports, password: str, cookie: str, durable: bool = True
) -> Part:
    """Describe the server.

    Args:
        instance: holds its data.
        script: the server's own start script, never Debian's wrapper.
        erlang: the directory of `erl`.
        ports: it takes four of them, and epmd's.
        password: of the only user, whom its first start creates.
        cookie: the Erlang secret of its node.
        durable: False does not wait for its orderly end, which takes seconds; for tests.
    """
    directory = instance.directory / "rabbitmq"

    async def prepare() -> None:
        _write_files(instance, ports=ports, password=password, cookie=cookie)

    async def probe() -> None:
        await _probe_amqp(ports.rabbitmq, password)

    return Part(
        name="rabbitmq",
        command=("/bin/sh", str(script)),
        environment=_environment(directory, erlang=erlang, ports=ports, data=rabbitmq_data(instance)),
        needs=("epmd",),
        prepare=prepare,
        probe=probe,
        waits_for=f"its AMQP handshake on {LOOPBACK}:{ports.rabbitmq}",
        ready_deadline_s=180.0,  # a small or busy machine boots Erlang slowly
        stop_signal=signal.SIGTERM if durable else signal.SIGKILL,
        stop_deadline_s=40.0,
        account=instance.account,
        directory=directory,
        port=ports.rabbitmq,
        log_file=instance.logs / "rabbitmq.log",
        problems=_PROBLEMS,
    )


def rabbitmq_data(instance: Instance) -> Path:
    """Where the queues and messages of the private RabbitMQ live."""
    return instance.directory / "rabbitmq" / "data"


def _environment(directory: Path, *, erlang: Path, ports: Ports, data: Path) -> dict[str, str]:
    # Made from nothing: no RABBITMQ_* of the caller and no file under /etc/rabbitmq may interfere.
    return {
        "PATH": f"{erlang}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "HOME": str(directory),
        # The node gives its data their name. epmd is private too, so that one name serves any number of instances.
        "RABBITMQ_NODENAME": "instadistro@localhost",
        "RABBITMQ_MNESIA_BASE": str(data),
        "RABBITMQ_LOG_BASE": str(directory),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_CONFIG_FILES": str(directory / "conf.d"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_DIST_PORT": str(ports.rabbitmq_distribution),
        "ERL_EPMD_PORT": str(ports.epmd),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        # A waiting scheduler that spins would eat the processor the other parts need.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none"
        " -kernel inet_dist_use_interface {127,0,0,1}",
        # Its script then becomes the server itself instead of a parent of it: one pid to watch, signal and record.
        "RUNNING_UNDER_SYSTEMD": "true",
    }


def _write_files(instance: Instance, *, ports: Ports, password: str, cookie: str) -> None:
    directory = instance.server_directory("rabbitmq")
    settings = {
        "listeners.tcp.1": f"{LOOPBACK}:{ports.rabbitmq}",
        "management.tcp.ip": LOOPBACK,
        "management.tcp.port": ports.rabbitmq_management,
        "prometheus.tcp.ip": LOOPBACK,
        "prometheus.tcp.port": ports.rabbitmq_metrics,
        "default_user": USER,
        "default_pass": password,
        f"loopback_users.{USER}": "true",
        "disk_free_limit.absolute": "50MB",
        "log.console": "true",
        "log.console.level": "info",
    }
    instance.write_private(
        directory / "rabbitmq.conf", "".join(f"{name} = {value}\n" for name, value in settings.items())
    )
    instance.write_private(directory / "enabled_plugins", "[rabbitmq_management,rabbitmq_prometheus].\n")
    instance.write_private(directory / ".erlang.cookie", cookie, mode=0o400)


async def _probe_amqp(port: int, password: str) -> None:
    await probe_tcp(port)  # the client logs every refused connection as an error
    url = amqp_url(port=port, password=password)
    connection = await aio_pika.connect(url, timeout=_PROBE_DEADLINE_S)
    await connection.close()


async def _probe_epmd(port: int) -> None:
    async with asyncio.timeout(_PROBE_DEADLINE_S):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            writer.write(_EPMD_NAMES_REQUEST)
            (answered,) = struct.unpack(">I", await reader.readexactly(4))
        finally:
            writer.close()
    if answered != port:
        raise NotYetError(f"another port mapper answers on {port}")
