"""The private servers alone, for tests: `python -m deploy.local.servers` prints their URLs as one JSON line when ready.

They stop when standard input ends, so that they cannot outlive whoever started them, however that one ended. Ports are
free ones; INSTADISTRO_STATE says where the data go. Only with `--durable` are they synced to disk, for benchmarks.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress

from deploy.local.instance import Instance, open_instance
from deploy.local.instance_secrets import load_secrets
from deploy.local.log_stream import Log
from deploy.local.ports import Ports, free_ports
from deploy.local.postgres import postgres_url
from deploy.local.rabbitmq import amqp_url, management_url
from deploy.local.redis import redis_url
from deploy.local.surroundings import REPLACED_BY
from deploy.local.system import System
from shared.errors import InstaDistroError


def server_urls(instance: Instance, ports: Ports) -> dict[str, str]:
    """Where the servers of `instance` are reached: `database`, `redis`, `amqp`, `management` (with its credentials)."""
    secrets = load_secrets(instance)
    return {
        "database": postgres_url(port=ports.postgres, password=secrets.postgres_password),
        "redis": redis_url(port=ports.redis, password=secrets.redis_password),
        "amqp": amqp_url(port=ports.rabbitmq, password=secrets.rabbitmq_password),
        "management": management_url(port=ports.rabbitmq_management, password=secrets.rabbitmq_password),
    }


async def _run() -> None:
    # The servers of these settings would be somebody's own; tests want private ones.
    named = set(REPLACED_BY.values())
    environ = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in named}
    with free_ports() as ports:
        serving = asyncio.create_task(_serve(open_instance(environ), ports, environ))
        over = asyncio.create_task(_end_of_input())
        await asyncio.wait([serving, over], return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        over.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def _serve(instance: Instance, ports: Ports, environ: Mapping[str, str]) -> None:
    log, durable = Log(sys.stderr), "--durable" in sys.argv[1:]
    async with System(instance, ports, environ=environ, log=log, servers_only=True, durable=durable) as system:
        print(json.dumps(server_urls(instance, ports)), flush=True)
        await system.wait()


async def _end_of_input() -> None:
    """Return when standard input ends, or somebody asks for an end by a signal."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    descriptor = sys.stdin.fileno()
    loop.add_reader(descriptor, lambda: None if os.read(descriptor, 1024) else over.set())
    await over.wait()
    loop.remove_reader(descriptor)


def main() -> int:
    """Run until standard input ends or a signal comes."""
    try:
        asyncio.run(_run())
    except InstaDistroError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
