"""Transactions that the server undid, or whose connection was lost, are tried again where that does no harm."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from shared.database import create_pool, run_in_transaction
from tests.waiting import until


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as found:
        await found.execute("CREATE TABLE counted (id integer PRIMARY KEY, n integer NOT NULL)")
        await found.execute("INSERT INTO counted VALUES (1, 0), (2, 0)")
        yield found


async def add(tx, id_):
    await tx.execute("UPDATE counted SET n = n + 1 WHERE id = $1", id_)


async def counts(pool):
    return [row["n"] for row in await pool.fetch("SELECT n FROM counted ORDER BY id")]


async def end_session(pool, tx):
    """End the session of a connection from the server's side, as a failover does, and wait until it is gone."""
    pid = tx.get_server_pid()
    await pool.execute("SELECT pg_terminate_backend($1)", pid)
    gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
    await until(lambda: pool.fetchval(gone, pid), what="the end of the session")


async def test_two_that_lock_each_other_out_both_succeed(pool):
    """PostgreSQL ends one of a deadlock; that one is run again."""
    met = asyncio.Barrier(2)
    runs = []

    async def both(first, second, tx):
        runs.append(first)
        await add(tx, first)
        if runs.count(first) == 1:
            await met.wait()
        await add(tx, second)

    await asyncio.gather(
        run_in_transaction(pool, lambda tx: both(1, 2, tx)), run_in_transaction(pool, lambda tx: both(2, 1, tx))
    )

    assert await counts(pool) == [2, 2]
    assert len(runs) == 3


async def test_a_serialization_failure_is_tried_again_with_what_is_there_now(pool):
    """What the work read in vain it reads anew."""
    tries = []

    async def double(tx):
        await tx.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        read = await tx.fetchval("SELECT n FROM counted WHERE id = 1")
        tries.append(read)
        if len(tries) == 1:
            await pool.execute("UPDATE counted SET n = 5 WHERE id = 1")
        await tx.execute("UPDATE counted SET n = $1 WHERE id = 1", 2 * read + 1)

    await run_in_transaction(pool, double)

    assert tries == [0, 5]
    assert await counts(pool) == [11, 0]


async def test_a_connection_lost_before_the_commit_is_replaced(pool):
    """A failover in the middle costs a try, and the work is done once."""
    tries = []

    async def cut_off_once(tx):
        tries.append(1)
        await add(tx, 1)
        if len(tries) == 1:
            await end_session(pool, tx)
            await add(tx, 2)
        return "done"

    assert await run_in_transaction(pool, cut_off_once) == "done"
    assert await counts(pool) == [1, 0]
    assert len(tries) == 2


async def test_a_connection_found_lost_before_the_commit_is_sent_is_replaced(pool):
    """What was never sent was never done, whatever the work is."""
    tries = []

    async def cut_off_at_the_end(tx):
        tries.append(1)
        await add(tx, 1)
        if len(tries) == 1:
            await end_session(pool, tx)
            await until_closed(tx)

    await run_in_transaction(pool, cut_off_at_the_end)

    assert len(tries) == 2
    assert await counts(pool) == [1, 0]


async def until_closed(tx):
    """Wait until the driver has noticed."""

    async def closed():
        try:
            return tx.is_closed()
        except asyncpg.InterfaceError:
            return True

    await until(closed, what="the end of the connection")


@pytest.mark.parametrize("idempotent", [False, True])
async def test_a_commit_without_an_answer_is_repeated_only_by_leave(pool, idempotent):
    """Whether it took place is not known: only the caller can say that twice is as good as once."""
    await pool.execute(
        """
        CREATE FUNCTION wait_for_leave() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER leave AFTER UPDATE ON counted DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION wait_for_leave()
        """
    )
    tries = []

    async def work(tx):
        tries.append(tx.get_server_pid())
        await add(tx, 1)

    async with pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock(1)")
        run = asyncio.create_task(run_in_transaction(pool, work, idempotent=idempotent))
        waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'COMMIT;' AND wait_event = 'advisory')"
        await until(lambda: other.fetchval(waits), what="a commit under way")
        await other.execute("SELECT pg_terminate_backend($1)", tries[0])
        await until(lambda: asyncio.sleep(0, run.done() or len(tries) > 1), what="the loss to be noticed")

    if idempotent:
        await run
    else:
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError)):
            await run
    assert len(tries) == 1 + idempotent
    assert await counts(pool) == [int(idempotent), 0]


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO counted VALUES (1, 0)", "SELECT 1 / 0", "SELECT nothing", "SELECT $1::integer"],
    ids=["conflict", "arithmetic", "no such column", "an argument too few"],
)
async def test_what_would_fail_again_is_raised_at_once(pool, statement):
    """A defect or a conflict is no accident of the moment; nothing stays of what was done before it."""
    tries = []

    async def fail(tx):
        tries.append(1)
        await add(tx, 1)
        await tx.fetch(statement)

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await run_in_transaction(pool, fail)

    assert tries == [1]
    assert await counts(pool) == [0, 0]


async def test_a_statement_s_own_deadline_is_not_taken_for_a_lost_connection(pool):
    """What took too long once would do so again."""
    tries = []

    async def sleep(tx):
        tries.append(1)
        await tx.execute("SELECT pg_sleep(10)", timeout=0.05)

    with pytest.raises(TimeoutError):
        await run_in_transaction(pool, sleep)

    assert tries == [1]


async def test_the_error_that_stays_is_raised_as_it_is(pool, monkeypatch):
    """After the last try the caller sees what the database said."""
    monkeypatch.setattr("shared.database.retry._FIRST_WAIT_S", 0.001)
    tries = []

    async def undone(tx):
        tries.append(1)
        await tx.execute("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")

    with pytest.raises(asyncpg.SerializationError, match="again"):
        await run_in_transaction(pool, undone)

    assert len(tries) == 6


async def test_the_tries_have_one_deadline(pool, monkeypatch):
    """No try begins after it."""
    monkeypatch.setattr("shared.database.retry._WITHIN_S", 0.0)
    tries = []

    async def undone(tx):
        tries.append(1)
        await tx.execute("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$")

    with pytest.raises((asyncpg.DeadlockDetectedError, TimeoutError)):
        await run_in_transaction(pool, undone)

    assert len(tries) <= 1
