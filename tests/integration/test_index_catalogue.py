"""The index catalogue tells the truth: of the planner on a populated database, and of the indexes that are there."""

from __future__ import annotations

import ast
import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy

from shared.database import create_pool
from shared.database.catalogue import CATALOGUE, INDEXES, SAMPLES, CataloguedQuery, Index, Kind, known_statements
from tests.populated import populate, sample_arguments
from tests.seen_queries import SeenQueries, is_query, uncatalogued

CHECKOUT = Path(__file__).parents[2]
# They have few rows however long the system runs.
_SMALL = {"users", "api_keys", "groups", "job_starts", "job_stats"}
_FOR_INTEGRITY = {Kind.PRIMARY, Kind.UNIQUE, Kind.FOREIGN_KEY}
_IS = {
    Kind.PRIMARY: lambda row: row["is_primary"],
    Kind.UNIQUE: lambda row: row["is_unique"] and not row["is_partial"],
    Kind.PLAIN: lambda row: row["keys"] == row["columns"] == 1 and not row["is_partial"],
    Kind.COMPOSITE: lambda row: row["keys"] > 1 and not row["is_partial"],
    Kind.PARTIAL: lambda row: row["is_partial"],
    Kind.COVERING: lambda row: row["columns"] > row["keys"],
    Kind.GIN: lambda row: row["method"] == "gin",
    Kind.FOREIGN_KEY: lambda row: row["serves_foreign_key"],
}
_READ_INDEXES = """
    SELECT class.relname AS name, owner.relname AS table, method.amname AS method,
           indisprimary AS is_primary, indisunique AS is_unique, indpred IS NOT NULL AS is_partial,
           indnkeyatts AS keys, indnatts AS columns, indisvalid AS is_valid,
           EXISTS (SELECT FROM pg_constraint
                   WHERE contype = 'f' AND conrelid = indrelid AND indkey[0] = ANY(conkey)) AS serves_foreign_key
    FROM pg_index
    JOIN pg_class AS class ON class.oid = indexrelid
    JOIN pg_class AS owner ON owner.oid = indrelid
    JOIN pg_am AS method ON method.oid = class.relam
    WHERE class.relnamespace = 'public'::regnamespace AND NOT class.relispartition
"""
_READ_PARTS = """
    SELECT part.relname AS part, whole.relname AS whole
    FROM pg_inherits
    JOIN pg_class AS part ON part.oid = inhrelid
    JOIN pg_class AS whole ON whole.oid = inhparent
    WHERE whole.relkind = 'I'
"""


def arguments_of(query: CataloguedQuery):
    samples = sample_arguments()
    return [samples[given] if isinstance(given, str) else given for given in query.arguments]


async def explain_all(database_url):
    """The plan of each query, and the indexes that are there."""
    connection = await asyncpg.connect(database_url, command_timeout=60)
    try:
        # What a server on today's disks is set to.
        await connection.execute("SET random_page_cost = 1.1")
        plans = {}
        for query in CATALOGUE:
            text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query.statement()}", *arguments_of(query))
            plans[query.name] = json.loads(text)[0]["Plan"]
        # An index of a part is known by that of the whole table.
        wholes: dict[str, str] = {row["part"]: row["whole"] for row in await connection.fetch(_READ_PARTS)}
        for step in [step for plan in plans.values() for step in steps(plan) if "Index Name" in step]:
            step["Index Name"] = wholes.get(step["Index Name"], step["Index Name"])
        return plans, {row["name"]: row for row in await connection.fetch(_READ_INDEXES)}
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def seen(module_database_url):
    """Plans and indexes of a database of 50,000 rows, read once."""

    async def read():
        await populate(module_database_url)
        return await explain_all(module_database_url)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, read()).result()


def steps(plan):
    """Every step of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from steps(part)


def steps_of_itself(plan):
    """Those steps that are not of a subquery for each row."""
    yield plan
    for part in plan.get("Plans", ()):
        if part["Parent Relationship"] != "SubPlan":
            yield from steps_of_itself(part)


def outline(plan, depth=0):
    """A plan as a reader wants it when a test fails: a line for each step."""
    told = ("Node Type", "Index Name", "Relation Name", "Index Cond", "Filter", "Sort Key", "Plan Rows", "Total Cost")
    line = " · ".join(str(plan[name]) for name in told if name in plan)
    return "\n".join(["  " * depth + line, *(outline(part, depth + 1) for part in plan.get("Plans", ()))])


@pytest.mark.parametrize("query", CATALOGUE, ids=lambda query: query.name)
def test_a_query_uses_its_index(seen, query):
    """The plan holds the entry's indexes, reads no growing table as a whole, and sorts nothing that has an order."""
    plan = list(steps(seen[0][query.name]))

    used = {step["Index Name"] for step in plan if "Index Name" in step}
    read_whole = {step["Relation Name"] for step in plan if step["Node Type"] == "Seq Scan"} - _SMALL
    sorts = [step["Sort Key"] for step in steps_of_itself(seen[0][query.name]) if step["Node Type"] == "Sort"]
    shown = f"\n{outline(seen[0][query.name])}"
    assert set(query.indexes) <= used, shown
    assert query.whole or not read_whole, shown
    assert not (query.ordered and sorts), shown


@pytest.mark.parametrize("query", CATALOGUE, ids=lambda query: query.name)
def test_an_entry_is_complete(query):
    """An entry names an index or says why there is none, and only samples that are explained."""
    names = [given for given in query.arguments if isinstance(given, str)]

    assert query.indexes or query.whole
    assert [name for name in names if name not in SAMPLES] == []


def test_the_names_of_entries_and_samples_are_their_own():
    """No two entries share a name, and this database answers every sample."""
    names = [query.name for query in CATALOGUE]

    assert len(set(names)) == len(names)
    assert sample_arguments().keys() == SAMPLES.keys()


def test_the_catalogue_has_exactly_the_indexes_that_are_there(seen):
    """An index without an entry, and an entry without its index, are both found."""
    there = sorted((row["name"], row["table"]) for row in seen[1].values() if row["is_valid"])

    assert there == sorted((index.name, index.table) for index in INDEXES)


def test_no_index_is_kept_that_nothing_uses():
    """An index serves a query, or keeps the data right; every other one would cost each write for nothing."""
    used = {name for query in CATALOGUE for name in query.indexes}

    assert [index.name for index in INDEXES if index.name not in used and index.kind not in _FOR_INTEGRITY] == []


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: index.name)
def test_an_index_is_of_its_kind(seen, index: Index):
    """What the catalogue says of an index's shape is what PostgreSQL has."""
    assert _IS[index.kind](seen[1][index.name])


async def test_a_statement_counts_by_who_sends_it(database_url, monkeypatch):
    """The product's statements are noticed, whoever's test it is; a test's own are not."""
    from shared.jobs import list_recurring  # noqa: PLC0415 - what is looked at stands here

    for sender, name in ((asyncpg.Connection, "_get_statement"), (PoolConnectionProxy, "execute")):
        monkeypatch.setattr(sender, name, getattr(sender, name))  # as they are: watched until this test ends
    noted = SeenQueries()
    noted.watch()
    async with await create_pool(database_url, application_name="test") as pool, pool.acquire() as connection:
        await connection.fetch("SELECT name FROM recurring_jobs")
        await list_recurring(connection)

    [statement] = noted.seen
    assert "ORDER BY next_due_at, name" in statement


def statements_in(file):
    """The statements that stand in a source file, up to where something is put into them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_query(node.value):
            yield node.value.partition("{")[0].strip()


def test_every_statement_of_the_sources_has_an_entry():
    """Also one that no test sends."""
    rooms = [file for room in ("services", "shared", "deploy") for file in (CHECKOUT / room).rglob("*.py")]
    files = [file for file in rooms if not file.is_relative_to(CHECKOUT / "shared" / "database")]
    known = "\n".join(known_statements())

    found = [(file.name, statement) for file in files for statement in statements_in(file)]

    assert found
    assert [(name, statement) for name, statement in found if statement not in known] == []


def test_a_session_fails_on_what_any_worker_saw():
    """A worker hands over what it saw; the session judges it once all have ended, and says what to do."""
    worker, controller = SeenQueries(), SeenQueries()
    worker.seen.add("SELECT 1 FROM accounts")
    ended = SimpleNamespace(config=SimpleNamespace(workeroutput={}), exitstatus=pytest.ExitCode.OK)
    session = SimpleNamespace(config=SimpleNamespace(), exitstatus=pytest.ExitCode.OK)
    said: list[str] = []

    worker.pytest_sessionfinish(cast("pytest.Session", ended))
    controller.pytest_testnodedown(ended.config)
    controller.pytest_sessionfinish(cast("pytest.Session", session))
    report = SimpleNamespace(section=lambda *_, **__: None, line=said.append)
    controller.pytest_terminal_summary(cast("pytest.TerminalReporter", report))

    assert (ended.exitstatus, session.exitstatus) == (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    assert "docs/database.md says how" in said[0]
    assert said[1:] == ["  SELECT 1 FROM accounts"]


def test_a_statement_without_an_entry_is_told():
    """What is not in the catalogue is listed, each on one line; pages are known with all their filters."""
    by_tag_and_state = next(
        text
        for query in CATALOGUE
        if query.name == "accounts.page"
        for text in query.statements()
        if "tags @>" in text and "state =" in text
    )

    told = uncatalogued({"SELECT 1\n  FROM accounts", by_tag_and_state})

    assert told == ["SELECT 1 FROM accounts"]
