"""The pool: every value is in force, every query is seen, nobody waits in it for ever."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from shared.database import POOL_CONFIG, create_pool, insert_many
from shared.errors import NotReadyError
from shared.performance import query_tracker


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as found:
        yield found


async def test_the_values_are_those_that_operators_were_promised(pool):
    """20 connections at most, 2 at least, idle ones closed after 30 s, 5 s to connect, 30 s for a statement."""
    assert (POOL_CONFIG.max_size, POOL_CONFIG.min_size, POOL_CONFIG.idle_s) == (20, 2, 30.0)
    assert (POOL_CONFIG.connect_timeout_s, POOL_CONFIG.statement_timeout_ms) == (5.0, 30_000)
    assert (pool.get_max_size(), pool.get_min_size(), pool.get_size()) == (20, 2, 2)
    assert pool._max_inactive_connection_lifetime == POOL_CONFIG.idle_s  # noqa: SLF001 - asyncpg tells it nowhere else
    assert pool._connect_kwargs["timeout"] == POOL_CONFIG.connect_timeout_s  # noqa: SLF001 - likewise
    assert pool._connect_kwargs["command_timeout"] == POOL_CONFIG.command_timeout_s  # noqa: SLF001 - likewise


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statement_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("application_name", "instadistro-test"),
        ("TimeZone", "UTC"),
    ],
)
async def test_the_server_has_the_session_s_values(pool, name, value):
    """A value is the server's own, also for a connection that was given back and taken again."""
    async with pool.acquire() as connection:
        await connection.execute("SET statement_timeout = 12345; SET timezone = 'Asia/Tokyo'")

    assert await pool.fetchval(f"SHOW {name}") == value


async def test_a_process_that_needs_less_holds_less(database_url):
    """`max_size` bounds also what stays open."""
    async with await create_pool(database_url, application_name="test", max_size=1) as small:
        assert (small.get_max_size(), small.get_min_size()) == (1, 1)


async def test_nobody_waits_for_ever(database_url, monkeypatch):
    """Who says no deadline gets the pool's; a query straight from the pool as well."""
    monkeypatch.setattr("shared.database.pool.POOL_CONFIG", type(POOL_CONFIG)(acquire_timeout_s=0.05))
    async with await create_pool(database_url, application_name="test", max_size=1) as small, small.acquire():
        with pytest.raises(TimeoutError):
            await small.acquire()
        with pytest.raises(TimeoutError):
            await small.fetch("SELECT 1")


async def test_a_caller_s_own_deadline_counts(database_url):
    """Who has less time says so."""
    async with await create_pool(database_url, application_name="test", max_size=1) as small, small.acquire():
        with pytest.raises(TimeoutError):
            await small.acquire(timeout=0.05)


async def test_a_server_that_refuses_is_told_with_what_to_do():
    """One kind of error, which names the setting."""
    with pytest.raises(NotReadyError, match="Check DATABASE_URL"):
        await create_pool("postgresql://nobody:nothing@127.0.0.1:9/none", application_name="test")


@pytest.fixture
def recorded(monkeypatch):
    """The statements that the tracker is told of."""
    told: list[tuple[str, float]] = []
    monkeypatch.setattr(query_tracker, "record_query", lambda sql, ms: told.append((sql, ms)))
    return told


async def statements(recorded):
    await asyncio.sleep(0)  # loggers are called in the loop's next turn
    return [sql for sql, _ in recorded if sql not in {"BEGIN;", "COMMIT;"}]


async def test_every_query_is_seen_on_every_connection(pool, recorded):
    """Fetched, executed, many at once, copied; on new connections and on those that were given back."""
    async with pool.acquire() as first, pool.acquire() as second, pool.acquire() as third:
        for connection in (first, second, third):
            await connection.execute("CREATE TEMPORARY TABLE kept (n integer)")
    for ask in (pool.fetch, pool.fetchrow, pool.fetchval):
        await ask("SELECT $1::integer", 1)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("CREATE TEMPORARY TABLE seen (n integer)")
        await connection.executemany("INSERT INTO seen VALUES ($1)", [(1,), (2,)])
        await insert_many(connection, "seen", ["n"], [(3,)])

    assert await statements(recorded) == [
        *["CREATE TEMPORARY TABLE kept (n integer)"] * 3,
        *["SELECT $1::integer"] * 3,
        "CREATE TEMPORARY TABLE seen (n integer)",
        "INSERT INTO seen VALUES ($1)",
        "COPY seen (n)",
    ]


async def test_a_query_that_fails_is_seen_as_well(pool, recorded):
    """A slow failure is what one looks for."""
    with pytest.raises(asyncpg.DivisionByZeroError):
        await pool.fetch("SELECT 1 / 0")

    assert await statements(recorded) == ["SELECT 1 / 0"]


async def test_a_query_s_time_is_in_milliseconds(pool, recorded):
    """As the tracker is told."""
    await pool.fetch("SELECT pg_sleep(0.05)")

    await statements(recorded)
    assert 50 <= recorded[0][1] < 10_000
