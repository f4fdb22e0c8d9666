"""The services of the private system: do they answer, and are they ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from deploy.doctor.check import Area, Check
from deploy.doctor.finding import Verdict, failed, ok, skipped
from deploy.doctor.setup import Setup
from deploy.local.own_parts import SERVICES as NAMES
from deploy.local.ports import LOOPBACK

_PATIENCE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class _Services:
    """The ports of their probes, by name; none where no private system runs."""

    http: aiohttp.ClientSession
    ports: dict[str, int]


@asynccontextmanager
async def _open(setup: Setup) -> AsyncIterator[_Services]:
    known = setup.record.ports if setup.record is not None else {}
    ports = {name: known[f"{name}_internal"] for name in NAMES if f"{name}_internal" in known}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_PATIENCE_S)) as http:
        yield _Services(http=http, ports=ports)


async def look_at_probes(services: _Services) -> Verdict | list[Verdict]:
    """Whether each of them says that it is ready."""
    if not services.ports:
        return skipped("No private system of this user runs on this machine; the consumers tell who works elsewhere.")
    asked = await asyncio.gather(*(_ask(services.http, name, port) for name, port in services.ports.items()))
    return [verdict for verdict in asked if verdict is not None] or ok(f"{', '.join(services.ports)} are ready.")


async def _ask(http: aiohttp.ClientSession, name: str, port: int) -> Verdict | None:
    try:
        async with http.get(f"http://{LOOPBACK}:{port}/readyz") as response:
            if response.status == 200:  # noqa: PLR2004 - HTTP's OK
                return None
            answer = await response.json()
            lacks = ", ".join(answer["failed"])
    except (aiohttp.ClientConnectionError, TimeoutError):
        return failed(
            f"The service {name} does not answer on port {port}.",
            do="Read its log (`instadistro status` says where): it is started again, hangs, or died too often.",
        )
    except (aiohttp.ClientError, ValueError, KeyError, TypeError):
        return failed(
            f"What answers on port {port} is not the service {name}.",
            do="See who holds the port (ss -ltnp), stop it, and start the system again.",
        )
    return failed(f"The service {name} is not ready: it misses {lacks}.", do="Read its log; it tries again by itself.")


SERVICES = Area(
    name="services",
    enter=_open,
    needs=(
        *("settings.values", "postgres.connects", "postgres.migrations", "redis.connects", "rabbitmq.connects"),
        *("rabbitmq.topology", "rabbitmq.arguments"),
    ),
    checks=(Check(name="services.ready", look=look_at_probes),),
)
