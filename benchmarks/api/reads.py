"""A page of 50 accounts: from the cache and past it, beside bare handlers that read the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import aiohttp
from redis.asyncio import Redis

from benchmarks.api.ground import GatewayProcess, Tenant, add_tenants, gateway_process
from benchmarks.api.wrk import requests_per_s
from benchmarks.bench import UNITS, Bench
from benchmarks.processes import answering
from benchmarks.rows import Row, row
from benchmarks.subjects import INSTADISTRO
from shared.database import create_pool

BARE = "bare aiohttp"
_ACCOUNTS = 50
_PAGE = f"/v1/accounts?limit={_ACCOUNTS}"
_HIT_S = 5.0
# Each tenant's first page is a miss once; there are more tenants than requests in this time.
_MISS_TENANTS = 4_000
_MISS_S = 1.0
# A key that was just looked up is remembered for 5 s: the page is what is measured, not the key.
_WARM_S = 2.0
_PORTS_DEADLINE_S = 30.0
_STORED = "bench:page"


async def list_hit(bench: Bench) -> list[Row]:
    """The gateway serves the page from the cache; the bare handler GETs the same bytes from Redis."""
    return await _measure(bench, "list-hit", users=1, take=_hit)


async def list_miss(bench: Bench) -> list[Row]:
    """The gateway loads and caches the page; the bare handler runs the same statement and encodes its rows."""
    return await _measure(bench, "list-miss", users=bench.scaled(_MISS_TENANTS), take=_miss)


_Take = Callable[[Bench, GatewayProcess, str, Sequence[Tenant]], Awaitable[dict[str, float]]]


async def _measure(bench: Bench, case: str, *, users: int, take: _Take) -> list[Row]:
    found: dict[str, list[float]] = {INSTADISTRO: [], BARE: []}
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            await create_pool(bench.servers.database, application_name="bench", max_size=2)
        )
        tenants = await add_tenants(pool, users=users, accounts=_ACCOUNTS)
        await pool.execute("VACUUM ANALYZE accounts")
        gateway = await stack.enter_async_context(gateway_process(bench.servers))
        environment = {"DATABASE_URL": bench.servers.database, "REDIS_URL": bench.servers.redis}
        bare = await stack.enter_async_context(answering(BARE, "benchmarks.api.bare", environment=environment))
        port = (await bare.answer(deadline_s=_PORTS_DEADLINE_S))["port"]
        bench.report.begin(case, trials=bench.runs)
        for _ in range(bench.runs):
            figures = await take(bench, gateway, f"http://127.0.0.1:{port}", tenants)
            for subject, value in figures.items():
                found[subject].append(value)
            bench.report.tell(", ".join(f"{subject} {value:,.0f} requests/s" for subject, value in figures.items()))
    return [row(case, subject, "requests_per_s", UNITS["requests_per_s"], runs) for subject, runs in found.items()]


async def _hit(bench: Bench, gateway: GatewayProcess, bare: str, tenants: Sequence[Tenant]) -> dict[str, float]:
    headers = {"Authorization": f"Bearer {tenants[0].api_key}"}
    async with aiohttp.ClientSession() as http, http.get(gateway.origin + _PAGE, headers=headers) as answer:
        page = await answer.read()
    async with Redis.from_url(bench.servers.redis) as redis:
        await redis.set(_STORED, page)
    return {
        BARE: await requests_per_s(bare, [(f"/hit?key={_STORED}", "")], seconds=_HIT_S),
        INSTADISTRO: await requests_per_s(gateway.origin, [(_PAGE, tenants[0].api_key)], seconds=_HIT_S),
    }


async def _miss(bench: Bench, gateway: GatewayProcess, bare: str, tenants: Sequence[Tenant]) -> dict[str, float]:
    asked = [(_PAGE, tenant.api_key) for tenant in tenants]
    async with Redis.from_url(bench.servers.redis) as redis:
        await redis.flushdb()
    await requests_per_s(gateway.origin, [("/v1/me", key) for _, key in asked], seconds=_WARM_S)
    return {
        BARE: await requests_per_s(bare, [(f"/miss?user={one.user_id}", "") for one in tenants], seconds=_MISS_S),
        INSTADISTRO: await requests_per_s(gateway.origin, asked, seconds=_MISS_S),
    }
