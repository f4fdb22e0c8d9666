"""All accounts of a tenant seen together: from the database, and from the cache as most clients get it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from benchmarks.bench import Bench
from benchmarks.rows import Row, row
from benchmarks.subjects import INSTADISTRO
from shared.accounts import read_swarm
from shared.cache import CacheNamespace, CacheService, CacheTTL, open_cache
from shared.database import create_pool

_ACCOUNTS = 10_000
_DEADLINE_S = 300.0
# In each turn.
_READS, _CACHED_READS = 20, 500
#: As many accounts of others lie beside the tenant's.
_FILL = (
    """
    INSERT INTO users (id, email)
    SELECT md5('bench swarm ' || n)::uuid, 'swarm' || n || '@bench.example.com'
    FROM generate_series(0, 9) AS n
    """,
    """
    INSERT INTO accounts (id, user_id, instagram_user_id, username, state, token_expires_at)
    SELECT md5('bench swarm account ' || n)::uuid,
           md5('bench swarm ' || CASE WHEN n % 2 = 0 THEN 0 ELSE n % 9 + 1 END)::uuid,
           (7e15::bigint + n)::text, 'studio_' || n, CASE n % 20 WHEN 2 THEN 'RESTRICTED' ELSE 'ACTIVE' END,
           now() + n % 60 * interval '1 day'
    FROM generate_series(1, 2 * $1) AS n
    """,
    """
    INSERT INTO health_scores (account_id, user_id, score, band, confidence, components, gates, reasons,
                               formula_version, computed_at, exposure)
    SELECT id, user_id, abs(hashtext(id::text)) % 101, 'healthy', 1, '{"access": 100, "publishing": 97.5}', '{}',
           '[{"code": "failures", "text": "2 of the last 20 publications failed.", "advice": "Read their errors."}]', 2,
           now(), 1 + abs(hashtext(username)) % 30
    FROM accounts
    WHERE user_id IN (SELECT md5('bench swarm ' || n)::uuid FROM generate_series(0, 9) AS n)
    """,
    "VACUUM (ANALYZE) health_scores",
    "VACUUM (ANALYZE) accounts",
)
_TENANT = "SELECT id FROM users WHERE id = md5('bench swarm 0')::uuid"


async def swarm(bench: Bench) -> list[Row]:
    """Milliseconds of one read, the median of many."""
    count = bench.scaled(_ACCOUNTS)
    database_ms: list[float] = []
    cache_ms: list[float] = []
    async with (
        await create_pool(bench.servers.database, application_name="bench", max_size=2) as pool,
        open_cache(bench.servers.redis) as cache,
        pool.acquire() as connection,
    ):
        bench.report.begin("swarm", trials=bench.runs)
        user_id = await _fill(bench.servers.database, count)
        key = CacheService.key(CacheNamespace.HEALTH_SWARM, user_id)

        async def load() -> Any:
            return msgspec.to_builtins(await read_swarm(connection, user_id=user_id))

        for _ in range(bench.runs):
            database_ms.append(await _median_ms(_READS, load))
            cache_ms.append(await _median_ms(_CACHED_READS, lambda: cache.get_or_set(key, load, CacheTTL.VERY_SHORT)))
            bench.report.tell(f"database {database_ms[-1]:.3g} ms, cache {cache_ms[-1]:.3g} ms")
    case = f"swarm of {count:,} accounts"
    return [
        row(case, INSTADISTRO, "from_database", "ms", database_ms),
        row(case, INSTADISTRO, "from_cache", "ms", cache_ms),
    ]


async def _fill(database_url: str, count: int) -> UUID:
    # With its own deadline: the pool's fits a service's statements.
    connection = await asyncpg.connect(database_url, command_timeout=_DEADLINE_S)
    try:
        if not await connection.fetchval(f"SELECT EXISTS ({_TENANT})"):
            for statement in _FILL:
                await connection.execute(statement, *([count] if "$1" in statement else []))
        found: UUID = await connection.fetchval(_TENANT)
        return found
    finally:
        await connection.close()


async def _median_ms(times: int, read: Callable[[], Awaitable[object]]) -> float:
    await read()  # warms the caches
    took_ms = []
    for _ in range(times):
        began = time.perf_counter()
        await read()
        took_ms.append((time.perf_counter() - began) * 1000)
    return statistics.median(took_ms)
