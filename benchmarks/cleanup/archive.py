"""Hot queries before and after what ended long ago moved to the archive, and while it moves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg

from benchmarks.cleanup.hot_queries import HotQuery, hot_queries
from benchmarks.indexes import large_database
from benchmarks.rows import Row, percentile, ratio, row
from benchmarks.subjects import INSTADISTRO
from shared.cleanup import choose_policies, clean_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.bench import Bench
    from shared.database import Pool

# Of the large database's two million: 200,000 publications, or five million.
_SCALE, _FULL_SCALE = 0.1, 2.5
_POLICIES = [
    policy
    for policy in choose_policies(archive_after_days=90, archive_keep_days=0)
    if policy.name in {"publications", "publications_archive"}
]
# What a tenant does meanwhile: it reads its list, and a worker marks what it has.
_READ = "SELECT id FROM publications WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 50"
_WRITE = "UPDATE publications SET updated_at = now() WHERE id = $1"
_WORKED_ON = "SELECT user_id, id FROM publications WHERE state = 'scheduled' LIMIT 1"
_PAUSE_S = 0.01
_CALM_S = 2.0
# The large database is built without; here it belongs to what is measured.
_AUTOVACUUM = ["ALTER TABLE publications RESET (autovacuum_enabled)"]
_VACUUM = ["VACUUM (ANALYZE) publications", "VACUUM (ANALYZE) publications_archive"]
_DEADLINE_S = 1_800.0


def sized(bench: Bench) -> Bench:
    """The bench with the size of this suite: `--full` is five million publications."""
    return replace(bench, scale=_FULL_SCALE if bench.full else _SCALE * bench.scale)


async def archive(bench: Bench) -> list[Row]:
    """The server's time for each hot query before and after, the speed of the move, and what others feel of it."""
    async with large_database(sized(bench)) as pool:
        async with pool.acquire() as connection:
            queries = await hot_queries(connection)
        before = await _measure(bench, pool, queries)
        await _execute(bench, _AUTOVACUUM)
        async with _others(pool) as calm_ms:
            await asyncio.sleep(_CALM_S)
        async with _others(pool) as busy_ms:
            moved, took_s = await _move(pool)
        bench.report.tell(f"{moved:,} publications moved in {took_s:.0f} s")
        await _execute(bench, _VACUUM)
        after = await _measure(bench, pool, queries)
    rows = [row("move", INSTADISTRO, "publications_per_s", "publications/s", [moved / took_s])]
    for name, series in (("others, calm", calm_ms), ("others, while it moves", busy_ms)):
        rows.append(row(name, INSTADISTRO, "wait_p99", "ms", [percentile(series, 99)]))
    for hot, old, new in zip(queries, before, after, strict=True):
        first = row(hot.query.name, INSTADISTRO, "before", "ms", old)
        second = row(hot.query.name, INSTADISTRO, "after", "ms", new)
        rows += [first, second, ratio(hot.query.name, "ratio_of_before", first, second)]
    return rows


async def _execute(bench: Bench, statements: Sequence[str]) -> None:
    # With its own deadline: the pool's fits a service's statements.
    connection = await asyncpg.connect(bench.servers.database, command_timeout=_DEADLINE_S)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _measure(bench: Bench, pool: Pool, queries: Sequence[HotQuery]) -> list[list[float]]:
    async with pool.acquire() as connection:
        return [[await hot.took_ms(connection) for _ in range(bench.runs)] for hot in queries]


async def _move(pool: Pool) -> tuple[int, float]:
    began, moved, more = time.perf_counter(), 0, True
    while more:
        done = [outcome async for outcome in clean_up(pool, _POLICIES)]
        moved += done[-1].went
        more = done[-1].more
    return moved, time.perf_counter() - began


@asynccontextmanager
async def _others(pool: Pool) -> AsyncIterator[list[float]]:
    """What a reader and a writer wait for, in ms, while the block runs."""
    waited: list[float] = []
    over = asyncio.Event()
    [(user_id, publication_id)] = await pool.fetch(_WORKED_ON)

    async def work() -> None:
        while not over.is_set():
            began = time.perf_counter()
            await pool.fetch(_READ, user_id)
            await pool.execute(_WRITE, publication_id)
            waited.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(_PAUSE_S)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work())
        try:
            yield waited
        finally:
            over.set()
