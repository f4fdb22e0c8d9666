"""Each query of the index catalogue with its index and without it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.bench import Bench
from benchmarks.indexes.large_database import large_database
from benchmarks.indexes.samples import arguments_of, sample_arguments
from benchmarks.indexes.without import rolled_back, without
from benchmarks.rows import Row, ratio, row
from benchmarks.subjects import INSTADISTRO
from shared.database import Connection
from shared.database.catalogue import CATALOGUE, CataloguedQuery

# In each turn, after one that only warms the caches.
_WITH, _WITHOUT = 5, 2
_WARM_UP = 1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One query, measured, turn by turn."""

    query: CataloguedQuery
    with_ms: list[float]
    without_ms: list[float]

    @property
    def faster_by(self) -> float:
        """The share of the time that the index saves, in percent."""
        return 100 * (1 - statistics.median(self.with_ms) / statistics.median(self.without_ms))


async def queries(bench: Bench) -> list[Row]:
    """The median of the server's own execution times, and how much of it the index saves."""
    chosen = [query for query in CATALOGUE if query.index]  # some mean whole tables
    outcomes = []
    async with large_database(bench) as pool, pool.acquire() as connection:
        samples = await sample_arguments(connection)
        bench.report.begin("indexes", trials=len(chosen))
        for query in chosen:
            outcome = await _measure(bench, connection, query, arguments_of(query, samples))
            bench.settings[query.name] = {INSTADISTRO: query.index}
            bench.report.tell(f"{query.name}: {outcome.faster_by:.1f} % faster with {query.index}")
            outcomes.append(outcome)
    return [*(one for outcome in outcomes for one in rows_of(outcome)), summary(outcomes)]


async def _measure(bench: Bench, connection: Connection, query: CataloguedQuery, arguments: Sequence[Any]) -> Outcome:
    with_ms, without_ms = [], []
    for _ in range(bench.runs):
        with_ms.append(await _execute(connection, query, arguments, times=_WITH))
        async with without(connection, [query.index]):
            without_ms.append(await _execute(connection, query, arguments, times=_WITHOUT))
    return Outcome(query=query, with_ms=with_ms, without_ms=without_ms)


def rows_of(outcome: Outcome) -> list[Row]:
    """The rows of one query."""
    case = outcome.query.name
    kept = row(case, INSTADISTRO, "with_index", "ms", outcome.with_ms)
    lost = row(case, INSTADISTRO, "without_index", "ms", outcome.without_ms)
    saved = [100 * (1 - above / below) for above, below in zip(outcome.with_ms, outcome.without_ms, strict=True)]
    return [kept, lost, row(case, INSTADISTRO, "faster_by", "%", saved), ratio(case, "ratio_to_no_index", lost, kept)]


def summary(outcomes: Sequence[Outcome]) -> Row:
    """The median over all queries."""
    shares = [outcome.faster_by for outcome in outcomes]
    return row(f"median of {len(shares)} queries", INSTADISTRO, "faster_by", "%", [statistics.median(shares)])


async def _execute(connection: Connection, query: CataloguedQuery, arguments: Sequence[Any], *, times: int) -> float:
    """The median of so many executions, in ms; what they write is rolled back."""
    statement = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query.statement()}"
    took_ms: list[float] = []
    for _ in range(_WARM_UP + times):
        async with rolled_back(connection):
            [plan] = json.loads(await connection.fetchval(statement, *arguments))
            took_ms.append(plan["Execution Time"])
    return statistics.median(took_ms[_WARM_UP:])
