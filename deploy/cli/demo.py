"""`instadistro demo`: a post of each format to 25 accounts of the emulator, with the figures that prove it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from uuid import uuid4

import aiohttp
import click
from rich.console import Console

from deploy.cli.demo_report import Figures, read_figures, show_figures
from deploy.cli.demo_run import Demo, run_demo
from deploy.cli.example_files import example_file
from deploy.local import BoundedFile, Instance, InstanceBusyError, Log, Ports, System, open_instance, read_ports
from deploy.local.instance_secrets import load_secrets
from deploy.local.ports import LOOPBACK, OFFSET_VARIABLE
from deploy.local.run_record import read_record
from deploy.local.server_parts import ensure_private_servers
from deploy.local.surroundings import build_environment
from instadistro_client import ClientError, InstaDistro
from shared.errors import InstaDistroError, NotReadyError

_USER_DEADLINE_S = 30.0
_CALL_DEADLINE = aiohttp.ClientTimeout(total=30)


@click.command()
@click.option("--port-offset", type=int, help=f"Add this to every default port. Also: {OFFSET_VARIABLE}.")
def demo(*, port_offset: int | None) -> None:
    """Publish a post of each format to 25 accounts of the emulator. Exit 0: all live, each exactly once.

    Uses the system that runs, or starts one and stops it again.
    """
    instance, ports = open_instance(os.environ), read_ports(os.environ, offset=port_offset)
    figures = asyncio.run(_demo(instance, ports, Console()))
    sys.exit(0 if figures.proven else 1)


async def _demo(instance: Instance, ports: Ports, console: Console) -> Figures:
    began = time.monotonic()
    async with _system(instance, ports, console) as (environment, ports_in_use):
        console.print(f"  system ready after {time.monotonic() - began:.1f} s")
        run_id = uuid4().hex[:8]
        api_key = await _make_user(environment, run_id)
        async with (
            aiohttp.ClientSession(timeout=_CALL_DEADLINE) as http,
            InstaDistro(f"http://{LOOPBACK}:{ports_in_use.api}", api_key=api_key) as api,
        ):
            plan = Demo(
                api=api,
                caption=f"Good morning from InstaDistro (demo {run_id})",
                accounts_file=example_file("accounts.csv"),
                picture=example_file("picture.jpg"),
                reel=example_file("reel.mp4"),
            )
            try:
                ran = await run_demo(plan, console)
            except ClientError as error:
                raise InstaDistroError(f"the demo was refused: {error}") from error
            emulator_url = environment["INSTAGRAM_GRAPH_URL"]
            figures = await read_figures(http, emulator_url, plan.caption, ran, began=began)
    show_figures(figures, console)
    return figures


@asynccontextmanager
async def _system(instance: Instance, ports: Ports, console: Console) -> AsyncIterator[tuple[dict[str, str], Ports]]:
    """The running system's environment and ports; one is started, and stopped at the end, if none runs."""
    instance.create()
    log_file = instance.logs / "demo.log"
    with closing(BoundedFile(log_file)) as file:
        system = System(instance, ports, emulator_accounts=example_file("accounts.csv"), log=Log(file=file))
        record = read_record(instance.run_file)
        if record is None or not record.alive:
            # Here, where a person reads along and may be asked for a password; the rest of the start goes to the log.
            await asyncio.to_thread(ensure_private_servers, os.environ, say=console.print)
            console.print("  starting PostgreSQL, Redis, RabbitMQ, the emulator and four services")
            console.print(f"  log: {log_file}", soft_wrap=True)
        try:
            await system.__aenter__()
        except InstanceBusyError:
            yield _running(instance, console)
            return
        try:
            yield system.environment, ports
        finally:
            console.print("  stopping what was started")
            await system.__aexit__(None, None, None)


def _running(instance: Instance, console: Console) -> tuple[dict[str, str], Ports]:
    record = read_record(instance.run_file)
    if record is None or not record.ready:
        raise NotReadyError("a system of this user is starting or stopping at this moment; try again when it is done")
    console.print(f"  using the system that runs already, as process {record.pid}")
    ports = Ports(**record.ports)
    secrets = load_secrets(instance)
    return build_environment(instance=instance, ports=ports, secrets=secrets, environ=os.environ), ports


async def _make_user(environment: dict[str, str], run_id: str) -> str:
    """A user of the demo's own; returns its API key."""
    command = [sys.executable, "-P", "-m", "deploy.cli.main", "users", "create", f"demo-{run_id}@example.com", "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_USER_DEADLINE_S):
            said, error = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise InstaDistroError("making the demo's user did not end in time; is PostgreSQL overloaded?") from None
    if process.returncode:
        raise InstaDistroError(f"the demo's user could not be made: {error.decode().strip()}")
    key: str = json.loads(said)["api_key"]
    return key
