"""What indexes cost writes: a table with all of its indexes, with its primary key alone, and without each in turn."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from benchmarks.bench import Bench
from benchmarks.indexes.large_database import large_database
from benchmarks.indexes.tables import TABLES, Table, batches
from benchmarks.indexes.without import rolled_back, without
from benchmarks.rows import Row, ratio, row
from benchmarks.subjects import INSTADISTRO
from shared.database import Connection

_BATCHES = 5  # in each turn; the quickest counts, as whatever disturbs one makes it slower
_SECONDARY = """
SELECT indexrelid::regclass::text AS name
FROM pg_index
WHERE indrelid = to_regclass($1) AND NOT indisprimary
ORDER BY name
"""


async def writes(bench: Bench) -> list[Row]:
    """Rows a second in batches; foreign keys are checked as ever. Nothing is committed: the disk is not waited for."""
    rows = []
    async with large_database(bench) as pool, pool.acquire() as connection:
        bench.report.begin("writes", trials=len(TABLES))
        for table in TABLES:
            async with rolled_back(connection):
                rows += await _measure(bench, connection, table)
    return rows


async def _measure(bench: Bench, connection: Connection, table: Table) -> list[Row]:
    secondary = [found["name"] for found in await connection.fetch(_SECONDARY, table.name)]
    rows = []
    for kind, statement in (await batches(connection, table)).items():
        rates = partial(_rows_per_s, connection, statement)
        every, none = [], []
        each: dict[str, list[float]] = {index: [] for index in secondary}
        for _ in range(bench.runs):
            every.append(await rates(lost=()))
            none.append(await rates(lost=secondary))
            for index, series in each.items():
                # Beside a rate of its own time, as the machine and the table's size change.
                series.append(more_time(await rates(lost=()), await rates(lost=[index])))
        case = f"{kind}, {table.name}"
        rows += costs(case, every=every, none=none, each=each)
        bench.report.tell(f"{case}: {max(every):,.0f} rows/s, {max(none):,.0f} with the primary key alone")
    return rows


def costs(
    case: str, *, every: Sequence[float], none: Sequence[float], each: Mapping[str, Sequence[float]]
) -> list[Row]:
    """The rows of one kind of write.

    Args:
        case: their name.
        every: rows a second with all indexes, turn by turn.
        none: with the primary key alone.
        each: how much longer rows take with an index than without it, in percent, by its name.
    """
    with_all = row(case, INSTADISTRO, "all_indexes", "rows/s", every)
    with_none = row(case, INSTADISTRO, "primary_key_alone", "rows/s", none)
    single = [row(case, INSTADISTRO, f"cost of {index}", "%", series) for index, series in each.items()]
    return [with_all, with_none, *single, ratio(case, "ratio_of_cost", with_none, with_all)]


def more_time(per_s: float, per_s_without: float) -> float:
    """How much longer the same rows take at the first rate than at the second, in percent."""
    return 100 * (per_s_without / per_s - 1)


async def _rows_per_s(connection: Connection, statement: str, *, lost: Collection[str]) -> float:
    best = 0.0
    async with without(connection, lost):
        for _ in range(_BATCHES):
            async with rolled_back(connection):
                began = time.perf_counter()
                done = await connection.execute(statement)
                best = max(best, int(done.split()[-1]) / (time.perf_counter() - began))
    return best
