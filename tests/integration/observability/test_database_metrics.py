"""What queries and pools tell of themselves, on a real server."""

import asyncio
from functools import partial

import asyncpg
import pytest
from prometheus_client import REGISTRY

from shared.database import create_pool, insert_many
from tests.waiting import until

POOL = "test-metrics"
KINDS = [
    ("select", "SELECT 1"),
    ("select", "\n    select count(*) FROM users"),
    ("insert", "INSERT INTO users (id, email) VALUES (gen_random_uuid(), 'a@example.com')"),
    ("update", "UPDATE users SET email = email"),
    ("delete", "DELETE FROM users"),
    ("with", "WITH one AS (SELECT 1 AS n) SELECT n FROM one"),
    ("other", "VALUES (1)"),
    ("other", "-- a word of explanation\nSELECT 1"),
]
ERRORS = [
    ("constraint", "INSERT INTO users (id, email) VALUES (NULL, 'a@example.com')"),
    ("timeout", "SET statement_timeout = 20; SELECT pg_sleep(5)"),
    ("connection", "SELECT pg_terminate_backend(pg_backend_pid())"),
    ("deadlock", "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"),
    ("serialization", "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"),
    ("other", "SELECT nonsense"),
]


def sample(name, **labels):
    return REGISTRY.get_sample_value(f"instadistro_{name}", labels) or 0


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name=POOL, max_size=2) as pool:
        yield pool


async def rises(name, before, **labels):
    # The driver tells of a query in the loop's next turn.
    async def risen():
        return sample(name, **labels) > before

    await until(risen, what=f"{name} {labels}")


@pytest.mark.parametrize(("kind", "statement"), KINDS)
async def test_a_query_counts_by_its_kind(kind, statement, pool):
    """Whatever its case and wherever its first word stands; what is none of the five is `other`."""
    before = sample("db_query_duration_seconds_count", statement=kind)

    await pool.execute(statement)

    await rises("db_query_duration_seconds_count", before, statement=kind)


@pytest.mark.parametrize(("error", "statement"), ERRORS)
async def test_a_query_that_fails_counts_by_how(error, statement, pool):
    """The server's own class of the error decides."""
    before = sample("db_errors_total", error=error)

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await pool.execute(statement)

    await rises("db_errors_total", before, error=error)


async def test_rows_that_are_copied_count_too(pool):
    """The driver tells of every query but this kind."""
    queries = sample("db_query_duration_seconds_count", statement="other")
    errors = sample("db_errors_total", error="constraint")
    rows = [("00000000-0000-7000-8000-000000000001", "a@example.com")]

    async with pool.acquire() as connection:
        await insert_many(connection, "users", ["id", "email"], rows)
        with pytest.raises(Exception, match="does not fit"):
            await insert_many(connection, "users", ["id", "email"], rows)

    assert sample("db_query_duration_seconds_count", statement="other") >= queries + 2
    assert sample("db_errors_total", error="constraint") == errors + 1


async def test_a_pool_tells_what_is_in_use_and_what_is_idle(pool):
    """Read when the metrics are asked for: an acquire pays nothing for it."""
    async with pool.acquire():
        busy = (
            sample("db_pool_connections", pool=POOL, state="in_use"),
            sample("db_pool_connections", pool=POOL, state="idle"),
        )
    quiet = sample("db_pool_connections", pool=POOL, state="in_use")

    assert busy == (1, 1)
    assert quiet == 0
    assert sample("db_pool_max_connections", pool=POOL) == 2


@pytest.mark.parametrize("way", ["acquire", "await", "fetch", "execute"])
async def test_every_way_to_a_connection_is_a_wait_that_counts(way, pool):
    """Also those that the driver goes by itself."""
    before = sample("db_pool_wait_seconds_count", pool=POOL)

    if way == "acquire":
        async with pool.acquire():
            pass
    elif way == "await":
        await pool.release(await pool.acquire())
    else:
        await getattr(pool, way)("SELECT 1")

    assert sample("db_pool_wait_seconds_count", pool=POOL) == before + 1


async def test_a_wait_in_vain_counts_with_its_length(pool):
    """It is the one that matters most, and a query that failed."""
    waited = sample("db_pool_wait_seconds_sum", pool=POOL)
    failed = sample("db_errors_total", error="timeout")

    async with pool.acquire(), pool.acquire():
        with pytest.raises(TimeoutError):
            await pool.acquire(timeout=0.1)

    assert sample("db_pool_wait_seconds_sum", pool=POOL) >= waited + 0.09
    assert sample("db_errors_total", error="timeout") == failed + 1


async def test_a_query_that_its_caller_gives_up_is_no_error(pool):
    """A client that leaves is not the database's fault."""
    before = {error: sample("db_errors_total", error=error) for error, _ in ERRORS}
    query = asyncio.create_task(pool.execute("SELECT pg_sleep(30)"))
    await until(partial(_is_busy), what="the query")
    seen = sample("db_query_duration_seconds_count", statement="select")

    query.cancel()
    await rises("db_query_duration_seconds_count", seen, statement="select")

    assert {error: sample("db_errors_total", error=error) for error, _ in ERRORS} == before


async def _is_busy():
    return sample("db_pool_connections", pool=POOL, state="in_use") == 1
