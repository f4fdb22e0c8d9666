"""Runs commands of rabbitmqctl on a private RabbitMQ."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local import Instance
from deploy.local.binaries import find_binaries

_DEADLINE_S = 30


class BrokerControl:
    """The command line of the broker that `instance` runs."""

    def __init__(self, instance: Instance, *, epmd_port: int) -> None:
        server = find_binaries().rabbitmq_server
        assert server is not None
        self._program = server.with_name("rabbitmqctl")
        self._environment = {
            "PATH": f"{os.environ['PATH']}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(instance.directory / "rabbitmq"),
            "RABBITMQ_NODENAME": "instadistro@localhost",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "ERL_EPMD_PORT": str(epmd_port),
        }

    async def run(self, *arguments: str) -> str:
        """What the command answers."""
        process = await asyncio.create_subprocess_exec(
            self._program,
            "--quiet",
            *arguments,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), _DEADLINE_S)
        assert process.returncode == 0, said.decode()
        return said.decode().strip()

    @asynccontextmanager
    async def short_of_memory(self) -> AsyncIterator[None]:
        """The broker's memory alarm, for as long as the context lasts."""
        usual = await self.run("eval", "vm_memory_monitor:get_vm_memory_high_watermark().")
        try:
            await self.run("set_vm_memory_high_watermark", "0.0000001")
            yield
        finally:
            await self.run("set_vm_memory_high_watermark", usual)
