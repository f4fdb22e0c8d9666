"""`instadistro status` on a system that runs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from deploy.cli.status import Seen, watch_until
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
_DEADLINE_S = 30


async def status(live, *options):
    """The command's exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "deploy.cli.main", "status", *options),
        env={**os.environ, "INSTADISTRO_STATE": str(live.system.instance.directory)},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_DEADLINE_S):
        text, _ = await process.communicate()
    return process.returncode, text.decode()


async def test_the_status_tells_of_every_service_and_queue(live):
    """Each of the four is ready, with its version and memory, and each work queue has its consumer."""

    async def told():
        await live.system.wait_ready()
        code, text = await status(live, "--json")
        fields = json.loads(text)
        complete = all(queue["consumers"] for queue in fields["queues"] if queue["service"]) and fields["queues"]
        return (code, fields) if complete else None

    code, fields = await until(told, what="a status that knows all queues", deadline_s=60.0)

    assert (code, fields["running"]) == (0, True)
    services = {service["name"]: service for service in fields["services"]}
    assert set(services) == {"api", "scheduler", "publisher", "health"}
    assert all(service["ready"] and service["version"] and service["memory_bytes"] for service in services.values())
    work_queues = {queue["service"] for queue in fields["queues"] if queue["service"]}
    assert work_queues == {"scheduler", "publisher", "health"}
    assert fields["outbox"]["due"] is not None


async def test_services_elsewhere_are_asked_by_address(live, tmp_path):
    """With --at no record of this machine is needed; nobody answering is status 3; a picture is written."""
    port = live.system.ports.scheduler_internal

    there = await status(live, "--at", f"127.0.0.1:{port}", "--svg", str(tmp_path / "status.svg"))
    nobody = await status(live, "--at", "127.0.0.1:1")

    assert there[0] == 0
    assert f"127.0.0.1:{port}" in there[1]
    assert "<svg" in (tmp_path / "status.svg").read_text(encoding="utf-8")
    assert nobody[0] == 3
    assert "tells nothing: nobody listens there" in nobody[1]


async def test_watching_goes_on_until_it_is_stopped():
    """What is seen is shown anew, until the stop."""
    stop, looks, output = asyncio.Event(), [], StringIO()

    async def look():
        looks.append("look")
        stop.set()
        return Seen(runs=True, shown=Text("seen once"), fields={})

    async with asyncio.timeout(_DEADLINE_S):
        await watch_until(look, console=Console(file=output), stop=stop)

    assert "seen once" in output.getvalue()
    assert looks == ["look"]
