"""Plans at 50 million publications, without building them: the planner is told that there are so many.

Statistics of a smaller table are kept, and its count of rows is set: `reltuples` of the table and of its indexes. The
planner takes the length of the files as it is, so reading the whole table looks cheaper to it than it would be. A plan
that uses its index all the same would use it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cleanup.archive import sized
from benchmarks.cleanup.hot_queries import hot_queries
from benchmarks.indexes import large_database
from benchmarks.indexes.without import rolled_back
from benchmarks.rows import Row, row
from benchmarks.subjects import INSTADISTRO

if TYPE_CHECKING:
    from benchmarks.bench import Bench

_ROWS = 50_000_000
_COUNT = "SELECT (SELECT count(*) FROM publications) + (SELECT count(*) FROM publications_archive)"
# Of the tables and of all their indexes, in proportion; the archive's months too.
_PRETEND = """
UPDATE pg_class SET reltuples = reltuples * $1::float8
WHERE reltuples > 0 AND oid IN (
    SELECT relation.oid
    FROM pg_class AS relation
    LEFT JOIN pg_index ON indexrelid = relation.oid
    JOIN pg_class AS owner ON owner.oid = coalesce(indrelid, relation.oid)
    WHERE owner.relname ~ '^publications(_archive.*)?$'
)
"""


async def plans(bench: Bench) -> list[Row]:
    """How many of the hot queries use their index and read no table as a whole, with 50 million publications."""
    async with large_database(sized(bench)) as pool, pool.acquire() as connection, rolled_back(connection):
        count = await connection.fetchval(_COUNT)
        await connection.execute(_PRETEND, _ROWS / count)
        bench.report.tell(f"the planner is told of {_ROWS:,} publications; {count:,} are there")
        queries = await hot_queries(connection)
        good = 0
        for hot in queries:
            steps = await hot.plan(connection)
            used = {step["Index Name"] for step in steps if "Index Name" in step}
            whole = {step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan"}
            fits = set(hot.query.indexes) <= used and "publications" not in whole
            good += fits
            bench.report.tell(f"{hot.query.name}: {', '.join(sorted(used))}{'' if fits else ' DOES NOT FIT'}")
    return [
        row("plans at 50 million", INSTADISTRO, "use_their_index", "queries", [float(good)]),
        row("plans at 50 million", INSTADISTRO, "of", "queries", [float(len(queries))]),
    ]
