"""The project's own processes as parts: the migrations, the emulator, the four services."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.part import Part, probe_http
from deploy.local.ports import LOOPBACK, Ports

SERVICES = ("api", "scheduler", "publisher", "health")
_SERVERS = ("postgres", "redis", "rabbitmq")
# Without -P a folder called `shared` or `redis` where the user happens to stand would be imported instead of ours.
_PYTHON = (sys.executable, "-P", "-m")
_CLI = (*_PYTHON, "deploy.cli.main")


def migrate_part(environment: Mapping[str, str]) -> Part:
    """The one-shot part that brings database and broker to the shape the services expect."""
    return Part(name="migrate", command=(*_CLI, "migrate"), environment=environment, needs=_SERVERS, one_shot=True)


def emulator_part(environment: Mapping[str, str], *, port: int, accounts: Path | None) -> Part:
    """The stand-in for the platform; `accounts` is a file of accounts it begins with."""

    async def probe() -> None:
        await probe_http(port, "/_emulator/")

    given = ("--accounts", str(accounts)) if accounts is not None else ()
    return Part(
        name="emulator",
        command=(*_CLI, "emulator", "--port", str(port), *given),
        environment=environment,
        probe=probe,
        waits_for=f"its control page on http://{LOOPBACK}:{port}/_emulator/",
        stop_deadline_s=10.0,
        port=port,
    )


def service_part(name: str, environment: Mapping[str, str], *, ports: Ports) -> Part:
    """One of the four services."""
    port: int = getattr(ports, f"{name}_internal")

    async def probe() -> None:
        await probe_http(port, "/readyz")

    return Part(
        name=name,
        command=(*_PYTHON, f"services.{name}"),
        environment=environment,
        needs=(*_SERVERS, "migrate", "emulator"),
        probe=probe,
        waits_for=f"its readiness on http://{LOOPBACK}:{port}/readyz",
        stop_deadline_s=40.0,  # longer than the settings' default drain
        port=ports.api if name == "api" else port,
    )
