"""The suites of cache, pagination and indexes run, at the smallest size, so that they do not rot."""

from importlib import import_module

import pytest

from benchmarks.bench import Bench
from benchmarks.cache import SUBJECTS
from benchmarks.cache.hit_rate import hit_rate
from benchmarks.cache.hits import hits
from benchmarks.cache.invalidate import invalidate
from benchmarks.cache.outage import outage
from benchmarks.cache.race import race
from benchmarks.cache.stampede import stampede
from benchmarks.cleanup.archive import archive
from benchmarks.cleanup.plans import plans
from benchmarks.health.rescore import rescore
from benchmarks.indexes import large_database
from benchmarks.indexes.queries import queries
from benchmarks.indexes.samples import arguments_of, sample_arguments
from benchmarks.indexes.without import rolled_back
from benchmarks.indexes.writes import writes
from benchmarks.pagination.pages import OFFSET, pages
from benchmarks.progress import Reporter
from benchmarks.servers import Servers
from benchmarks.subjects import INSTADISTRO
from shared.database.catalogue import CATALOGUE


def smallest(servers, database_url, redis_url, *, subjects):
    return Bench(
        servers=Servers(database=database_url, redis=redis_url, amqp=servers.amqp, management=servers.management),
        subjects=subjects,
        runs=1,
        scale=0.002,
        full=False,
        report=Reporter(None),
    )


@pytest.fixture
def bench(servers, database_url, redis_url):
    """The project's own cache alone."""
    return smallest(servers, database_url, redis_url, subjects=SUBJECTS[:1])


@pytest.fixture
def bench_with_library(servers, database_url, redis_url):
    """The project's own cache and the bare library, which needs no environment of its own."""
    return smallest(servers, database_url, redis_url, subjects=SUBJECTS[:2])


def values(rows):
    return {(row.case, row.subject, row.metric): row.value for row in rows}


async def test_a_race_is_lost_by_the_bare_library_and_never_by_the_cache(bench_with_library):
    """The case really makes races: who only deletes serves old values; the cache serves none."""
    figures = values(await race(bench_with_library))

    assert figures["race", INSTADISTRO, "tries"] == figures["race", "bare redis-py", "tries"] == 20
    assert figures["race", INSTADISTRO, "stale"] == 0
    assert figures["race", "bare redis-py", "stale"] > 0


async def test_hits_are_counted_for_each_load(bench, monkeypatch):
    """Every load has its figure, and none of its reads had to load."""
    module = import_module("benchmarks.cache.hits")
    monkeypatch.setattr(module, "_LOADS", module._LOADS[2:4])  # noqa: SLF001 - two are enough to see it run

    rows = await hits(bench)

    assert [row.case for row in rows] == [
        "hits, health, 16 callers on own keys",
        "hits, health, 128 callers on one key",
    ]
    assert all(row.metric == "hits_per_s" and row.value > 0 for row in rows)


async def test_a_stampede_of_two_processes_is_counted(bench):
    """Both processes run their rounds together, and all their loads are added up."""
    figures = values(await stampede(bench))

    assert 1 <= figures["stampede", INSTADISTRO, "loads_most"] <= 100
    assert figures["stampede", INSTADISTRO, "longest"] >= 100


async def test_an_outage_is_survived(bench):
    """No read fails while Redis hangs or when it is dead, and what readers waited is told."""
    figures = values(await outage(bench))

    assert {case for case, _, _ in figures} == {"outage, hung Redis", "outage, dead Redis"}
    assert all(value > 0 for (_, _, metric), value in figures.items() if metric != "failed")
    assert {value for (_, _, metric), value in figures.items() if metric == "failed"} == {0}


async def test_an_invalidation_is_timed_and_really_invalidates(bench):
    """A cache that went on to serve its values would have no figure."""
    figures = values(await invalidate(bench))

    assert figures["invalidate, 600 other keys", INSTADISTRO, "invalidation"] > 0


async def test_the_hit_rate_is_that_of_the_gateway(bench):
    """The real gateway answers over HTTP; a warm cache serves more than an empty one."""
    figures = values(await hit_rate(bench))

    assert 0 < figures["hit rate, from empty", INSTADISTRO, "hit_rate"] < 100
    assert (
        figures["hit rate, from empty", INSTADISTRO, "hit_rate"]
        < figures["hit rate, warm", INSTADISTRO, "hit_rate"]
        <= 100
    )


async def test_pages_and_indexes_are_measured_on_one_large_database(bench, monkeypatch):
    """It is built once; both ways of paging show the same rows, and queries and tables have figures."""
    module = import_module("benchmarks.indexes.queries")
    monkeypatch.setattr(module, "CATALOGUE", module.CATALOGUE[::8])

    paged = values(await pages(bench))
    saved = values(await queries(bench))
    cost = values(await writes(bench))

    assert paged["page at depth 2,000", OFFSET, "page"] > 0
    assert {case for case, _, _ in saved} >= {query.name for query in module.CATALOGUE if query.index}
    assert cost["insert, publications", INSTADISTRO, "ratio_of_cost"] > 0
    assert cost["update, health_scores", INSTADISTRO, "primary_key_alone"] > 0


async def test_every_catalogued_query_can_be_run_on_the_large_database(bench):
    """The samples that it answers fit every statement of the catalogue, those that write among them."""
    async with large_database(bench) as pool, pool.acquire() as connection:
        samples = await sample_arguments(connection)
        for query in CATALOGUE:
            async with rolled_back(connection):
                if query.name.startswith("erase."):  # each empties a table before those that it leans on
                    await connection.execute("SET LOCAL session_replication_role = replica")
                await connection.fetch(query.statement(), *arguments_of(query, samples))


async def test_the_archive_is_measured_and_plans_are_those_of_fifty_millions(bench, monkeypatch):
    """Everything that is old moves, and hot queries are planned before it does."""
    monkeypatch.setattr(import_module("benchmarks.cleanup.archive"), "_CALM_S", 0.1)

    planned, measured = values(await plans(bench)), values(await archive(bench))

    case = "plans at 50 million"
    assert 0 < planned[case, INSTADISTRO, "use_their_index"] <= planned[case, INSTADISTRO, "of"]
    assert measured["move", INSTADISTRO, "publications_per_s"] > 0
    assert measured["publications.claim", INSTADISTRO, "after"] > 0


async def test_scores_of_all_accounts_are_made_anew(bench):
    """The case judges as many accounts as it tells, and the formula is only a part of what that costs."""
    figures = values(await rescore(bench))

    assert 0 < figures["20 accounts", INSTADISTRO, "cpu_formula"] < figures["20 accounts", INSTADISTRO, "cpu_health"]
    assert figures["20 accounts", INSTADISTRO, "wall_health"] > 0
