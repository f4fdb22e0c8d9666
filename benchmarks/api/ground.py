"""The gateway as a process of its own on the benchmark's servers, and tenants with API keys."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import aiohttp
import psutil
from uuid_utils.compat import uuid7

from benchmarks.processes import CHECKOUT, BenchmarkError
from benchmarks.servers import NO_LIMITS, Servers
from deploy.local.ports import free_ports
from shared.database import Pool
from shared.security import new_api_key

_PEPPER = secrets.token_hex(32)
_READY_DEADLINE_S = 30.0
_LOOK_EVERY_S = 0.05
_STOP_DEADLINE_S = 30.0
_INSERT_USERS = "INSERT INTO users (id, email) SELECT id, id || '@example.com' FROM unnest($1::uuid[]) AS new (id)"
_INSERT_KEYS = """
    INSERT INTO api_keys (id, user_id, key_id, secret_hash, scopes)
    SELECT id, user_id, key_id, secret_hash, '{read,write,admin}'
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[]) AS new (id, user_id, key_id, secret_hash)
"""
_INSERT_ACCOUNTS = """
    INSERT INTO accounts (id, user_id, instagram_user_id, username, state, tags, token_expires_at)
    SELECT gen_random_uuid(), id, number::text, 'studio_' || number, 'ACTIVE', ARRAY['food', 'berlin'],
           now() + interval '50 days'
    FROM unnest($1::uuid[]) AS tenant (id) CROSS JOIN generate_series(1, $2) AS number
"""


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """One of those who ask."""

    user_id: UUID
    api_key: str


@dataclass(frozen=True, kw_only=True)
class GatewayProcess:
    """A running gateway."""

    origin: str
    pid: int

    def processor_s(self) -> float:
        """User and system seconds until now."""
        return float(sum(psutil.Process(self.pid).cpu_times()[:2]))

    def resident_mib(self) -> float:
        """Its memory now."""
        return psutil.Process(self.pid).memory_info().rss / 2**20


@asynccontextmanager
async def gateway_process(servers: Servers) -> AsyncIterator[GatewayProcess]:
    """`services.api` with the settings of production, but without rate limits; its log goes to a file.

    Raises:
        BenchmarkError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="instadistro-bench-") as place, free_ports() as ports:
        environment = {
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "DATABASE_URL": servers.database,
            "REDIS_URL": servers.redis,
            "AMQP_URL": servers.amqp,
            "TOKEN_KEYS": f"bench:{base64.b64encode(secrets.token_bytes(32)).decode()}",
            "CURSOR_SECRET": secrets.token_hex(32),
            "API_KEY_PEPPER": _PEPPER,
            "MEDIA_STORE": f"{place}/media",
            "PUBLIC_FETCH_TEST": "off",
            "API_PORT": str(ports.api),
            "API_INTERNAL_PORT": str(ports.api_internal),
            **NO_LIMITS,
            # Nothing sends the outbox here.
            "OUTBOX_MAX_AGE_S": "0",
        }
        log = Path(place) / "api.log"
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "services.api", env=environment, stdout=file, stderr=file
            )
        try:
            origin = f"http://127.0.0.1:{ports.api}"
            await _ready(origin, process, log)
            yield GatewayProcess(origin=origin, pid=process.pid)
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), _STOP_DEADLINE_S)


async def _ready(origin: str, process: asyncio.subprocess.Process, log: Path) -> None:
    try:
        async with asyncio.timeout(_READY_DEADLINE_S), aiohttp.ClientSession() as http:
            while process.returncode is None:
                try:
                    async with http.get(f"{origin}/readyz") as answer:
                        if answer.ok:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        pass
    last = (await asyncio.to_thread(log.read_text))[-2000:]
    raise BenchmarkError(f"The gateway did not start. It said:\n{last}")


async def add_tenants(pool: Pool, *, users: int, accounts: int) -> list[Tenant]:
    """New tenants, each with so many accounts."""
    ids = [uuid7() for _ in range(users)]
    async with pool.acquire() as connection:
        await connection.execute(_INSERT_USERS, ids)
        await connection.execute(_INSERT_ACCOUNTS, ids, accounts)
    return await add_keys(pool, ids)


async def add_keys(pool: Pool, user_ids: Sequence[UUID]) -> list[Tenant]:
    """A key for each of these users."""
    keys = [new_api_key(_PEPPER.encode()) for _ in user_ids]
    await pool.execute(
        _INSERT_KEYS,
        [uuid7() for _ in keys],
        list(user_ids),
        [key.key_id for key in keys],
        [key.secret_hash for key in keys],
    )
    return [Tenant(user_id=user_id, api_key=key.text) for user_id, key in zip(user_ids, keys, strict=True)]
