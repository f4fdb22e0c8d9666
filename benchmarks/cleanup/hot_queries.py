"""The queries that every publication passes, or that somebody waits for, as the catalogue has them."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import Any

from benchmarks.indexes.samples import arguments_of, sample_arguments
from benchmarks.indexes.without import rolled_back
from shared.database import Connection
from shared.database.catalogue import CATALOGUE, CataloguedQuery

_NAMES = (
    "publications.claim",
    "publications.rescue",
    "publications.too_late",
    "publications.page",
    "publications.page_by_account",
    "publications.page_by_time",
    "publications.waiting_near",
    "publications.published_near",
    "publications.duplicates",
    "posts.page",
    "distributions.page",
)
_TURNS, _WARM_UP = 9, 2


@dataclass(frozen=True, kw_only=True)
class HotQuery:
    """One of them with its arguments."""

    query: CataloguedQuery
    arguments: list[Any]

    async def took_ms(self, connection: Connection) -> float:
        """The median of planning and execution together, in ms, as the server tells; what it writes is rolled back."""
        statement = f"EXPLAIN (ANALYZE, TIMING OFF, SUMMARY, FORMAT JSON) {self.query.statement()}"
        series: list[float] = []
        for _ in range(_WARM_UP + _TURNS):
            async with rolled_back(connection):
                [plan] = json.loads(await connection.fetchval(statement, *self.arguments))
                series.append(plan["Planning Time"] + plan["Execution Time"])
        return statistics.median(series[_WARM_UP:])

    async def plan(self, connection: Connection) -> list[dict[str, Any]]:
        """Every step that the planner would take now."""
        text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {self.query.statement()}", *self.arguments)
        return list(_steps(json.loads(text)[0]["Plan"]))


async def hot_queries(connection: Connection) -> list[HotQuery]:
    """All of them, with what the large database answers for their samples."""
    samples = await sample_arguments(connection)
    by_name = {query.name: query for query in CATALOGUE}
    chosen = [by_name[name] for name in _NAMES]
    return [HotQuery(query=query, arguments=arguments_of(query, samples)) for query in chosen]


def _steps(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(step for part in plan.get("Plans", ()) for step in _steps(part))]
