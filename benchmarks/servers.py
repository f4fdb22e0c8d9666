"""Servers of the benchmark's own, and a virtual host for each trial."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
from redis.asyncio import Redis

from benchmarks.processes import answering
from deploy.local.server_parts import ensure_private_servers
from shared.database import migrate

_START_DEADLINE_S = 240.0
_CALL_DEADLINE_S = 60.0
#: The gateway without rate limits: what is measured is what it can do.
NO_LIMITS = dict.fromkeys(("RATE_LIMIT_KEY_PER_S", "RATE_LIMIT_TENANT_PER_S", "RATE_LIMIT_ADDRESS_PER_S"), "0")
_ALL_RIGHTS = {"configure": ".*", "write": ".*", "read": ".*"}


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where the private servers are reached; each URL holds its credentials."""

    database: str  # migrated
    redis: str
    amqp: str  # of the default virtual host
    management: str


@asynccontextmanager
async def private_servers() -> AsyncIterator[Servers]:
    """PostgreSQL, Redis and RabbitMQ in a directory of their own, synced to disk as in production, removed at the end.

    Raises:
        PackagesMissingError: programs are missing and cannot be installed; the text says which packages to install.
        BenchmarkError: they did not start.
    """
    ensure_private_servers({}, say=print)
    directory = f"{tempfile.gettempdir()}/instadistro-bench-{uuid4().hex}"  # made by the servers, for their account
    state = {"INSTADISTRO_STATE": directory}
    try:
        async with answering("the servers", "deploy.local.servers", "--durable", environment=state) as process:
            urls = await process.answer(deadline_s=_START_DEADLINE_S)
            await migrate(urls["database"], deadline_s=_CALL_DEADLINE_S)
            yield Servers(**urls)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def virtual_host(servers: Servers) -> AsyncIterator[str]:
    """The URL of a new virtual host, deleted afterwards with all that is in it."""
    name = f"bench-{uuid4().hex}"
    async with _management(servers) as session:
        await session.put(f"vhosts/{name}")
        await session.put(f"permissions/{name}/{_user(servers)}", json=_ALL_RIGHTS)
        try:
            yield servers.amqp.removesuffix("%2F") + name
        finally:
            await session.delete(f"vhosts/{name}")


async def redis_version(servers: Servers) -> str:
    """The version of Redis."""
    async with Redis.from_url(servers.redis, socket_timeout=_CALL_DEADLINE_S) as redis:
        return str((await redis.info("server"))["redis_version"])


async def broker_version(servers: Servers) -> str:
    """The version of RabbitMQ."""
    async with _management(servers) as session, session.get("overview") as answer:
        return str((await answer.json())["rabbitmq_version"])


def _user(servers: Servers) -> str:
    return urlsplit(servers.management).username or ""


@asynccontextmanager
async def _management(servers: Servers) -> AsyncIterator[aiohttp.ClientSession]:
    parts = urlsplit(servers.management)
    async with aiohttp.ClientSession(
        base_url=f"http://{parts.hostname}:{parts.port}/api/",
        headers={"Authorization": aiohttp.encode_basic_auth(_user(servers), parts.password or "")},
        timeout=aiohttp.ClientTimeout(total=_CALL_DEADLINE_S),
        raise_for_status=True,
    ) as session:
        yield session
