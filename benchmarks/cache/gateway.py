"""The real gateway on the benchmark's servers, with tenants in its database and clients that speak HTTP to it."""

from __future__ import annotations

import asyncio
import base64
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
from uuid_utils.compat import uuid7

from benchmarks.cache.mix import Request, Tenant
from benchmarks.servers import NO_LIMITS, Servers
from deploy.local.ports import LOOPBACK
from services.api.app import create_app
from services.api.http.listener import listen
from services.api.service import open_deps
from shared.database import Connection
from shared.security import new_api_key
from shared.settings import Settings, load_settings

_CLIENTS = 16  # requests under way at a time
_DEADLINE_S = 30.0
_INSERT_USERS = "INSERT INTO users (id, email) SELECT id, id || '@example.com' FROM unnest($1::uuid[]) AS new (id)"
_INSERT_KEY = "INSERT INTO api_keys (id, user_id, key_id, secret_hash, scopes) VALUES ($1, $2, $3, $4, $5)"
_INSERT_ACCOUNTS = """
    INSERT INTO accounts (id, user_id, instagram_user_id, username, state, tags)
    SELECT id, user_id, number::text, 'studio_' || number, 'ACTIVE', ARRAY['food', 'berlin']
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS new (id, user_id, number)
"""
_INSERT_SCORES = """
    INSERT INTO health_scores
        (account_id, user_id, score, band, confidence, components, gates, reasons, formula_version, computed_at)
    SELECT id, user_id, 91, 'healthy', 0.8, '{"api": 90}', '{}', '[]', 1, $3
    FROM unnest($1::uuid[], $2::uuid[]) AS new (id, user_id)
"""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A running gateway and those who use it."""

    tenants: Sequence[Tenant]
    _url: str
    _http: aiohttp.ClientSession

    async def send_all(self, requests: Iterator[Request]) -> None:
        """Send requests in their order, a few at a time, each when an earlier one has its answer.

        Raises:
            aiohttp.ClientError: one was refused; the gateway and the benchmark do not fit together.
        """

        async def send_on() -> None:
            for request in requests:
                headers = {"Authorization": f"Bearer {request.tenant.api_key}"}
                async with self._http.request(request.method, self._url + request.path, headers=headers) as response:
                    await response.read()

        async with asyncio.TaskGroup() as clients:
            for _ in range(_CLIENTS):
                clients.create_task(send_on())


@asynccontextmanager
async def running_gateway(servers: Servers, *, users: int, accounts: int) -> AsyncIterator[Gateway]:
    """A gateway with so many tenants, each with so many accounts that were judged, while the context lasts."""
    timeout = aiohttp.ClientTimeout(total=_DEADLINE_S)
    with tempfile.TemporaryDirectory(prefix="instadistro-bench-") as media:
        settings = _settings(servers, media=media)
        async with (
            open_deps(settings) as deps,
            listen(create_app(deps), host=LOOPBACK, port=0, drain_s=_DEADLINE_S) as port,
            aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as http,
        ):
            async with deps.pool.acquire() as connection, connection.transaction():
                tenants = await _seed(connection, users=users, accounts=accounts, pepper=settings.api_key_pepper)
            yield Gateway(tenants=tenants, _url=f"http://{LOOPBACK}:{port}", _http=http)


def _settings(servers: Servers, *, media: str) -> Settings:
    return load_settings(
        {
            "DATABASE_URL": servers.database,
            "REDIS_URL": servers.redis,
            "AMQP_URL": servers.amqp,
            "TOKEN_KEYS": f"bench:{base64.b64encode(secrets.token_bytes(32)).decode()}",
            "CURSOR_SECRET": secrets.token_hex(32),
            "API_KEY_PEPPER": secrets.token_hex(32),
            "MEDIA_STORE": media,
            **NO_LIMITS,
        }
    )


async def _seed(connection: Connection, *, users: int, accounts: int, pepper: bytes) -> list[Tenant]:
    owned = {uuid7(): [uuid7() for _ in range(accounts)] for _ in range(users)}
    keys = {user_id: new_api_key(pepper) for user_id in owned}
    pairs = [(account_id, user_id) for user_id, account_ids in owned.items() for account_id in account_ids]
    columns: tuple[list[UUID], list[UUID]] = ([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    await connection.execute(_INSERT_USERS, list(owned))
    await connection.executemany(
        _INSERT_KEY,
        [(uuid7(), user_id, key.key_id, key.secret_hash, ["read", "write"]) for user_id, key in keys.items()],
    )
    await connection.execute(_INSERT_ACCOUNTS, *columns)
    await connection.execute(_INSERT_SCORES, *columns, datetime.now(UTC))
    return [Tenant(api_key=keys[user_id].text, account_ids=account_ids) for user_id, account_ids in owned.items()]
