"""The large database of the suites `pagination` and `indexes`: 2 million publications and all that belongs to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from benchmarks.bench import Bench
from shared.database import Connection, Pool, create_pool

_SQL = Path(__file__).with_suffix(".sql")
# To a slot belong 20 accounts and 200 publications; the file says how.
_SLOTS = 10_000
_SLOTS_LEAST = 20
_DEADLINE_S = 1_800.0
# An index is built faster over a full table than kept beside a growing one. Constraints stay.
_OWN_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE indrelid = 'publications'::regclass
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
_TABLES = """
SELECT oid::regclass::text AS name
FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def slots(scale: float) -> int:
    """How many slots a database of this scale has; whole tens, since ten slots share a user."""
    return max(_SLOTS_LEAST, round(_SLOTS * scale / 10) * 10)


@asynccontextmanager
async def large_database(bench: Bench) -> AsyncIterator[Pool]:
    """A pool, as services have it, to the large database, which is built if this run has not yet."""
    count = slots(bench.scale)
    async with await create_pool(bench.servers.database, application_name="bench", max_size=2) as pool:
        if not await pool.fetchval("SELECT EXISTS (SELECT FROM users)"):
            bench.report.begin("large database", trials=1)
            await _build(bench.servers.database, count)
            rows = await pool.fetchval("SELECT count(*) FROM publications")
            size = await pool.fetchval("SELECT pg_database_size(current_database()) / 1024 / 1024")
            bench.report.tell(f"{rows:,} publications, {size:,} MiB")
        yield pool


async def _build(database_url: str, count: int) -> None:
    # With its own deadline: the pool's fits a service's statements.
    connection = await asyncpg.connect(database_url, command_timeout=_DEADLINE_S)
    try:
        await connection.execute("SELECT set_config('bench.slots', $1, false)", str(count))
        indexes = await connection.fetch(_OWN_INDEXES)
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        await connection.execute(_SQL.read_text(encoding="utf-8"))
        for index in indexes:
            await connection.execute(index["definition"])
        await _settle(connection)
    finally:
        await connection.close()


async def _settle(connection: Connection) -> None:
    """Statistics, visibility and disk as after a quiet night; from then on nothing works in the background."""
    for table in await connection.fetch(_TABLES):
        await connection.execute(f"ALTER TABLE {table['name']} SET (autovacuum_enabled = false)")
    await connection.execute("VACUUM (ANALYZE)")
    await connection.execute("CHECKPOINT")
