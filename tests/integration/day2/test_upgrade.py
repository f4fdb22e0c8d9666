"""From the version before to this one, with data: works by number, whatever the last migration is."""

import asyncio
import json
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path

import aio_pika
import aiohttp
import asyncpg
import pytest

from deploy.local import BoundedFile, Log, System, free_ports
from shared.database import create_pool, run_in_transaction
from shared.database.migrate import load_migrations
from shared.jobs import declare_topology, open_session
from shared.security import new_api_key
from tests.emulators import emulating
from tests.old_rows import make_before_last
from tests.seeds import CIPHER
from tests.waiting import until

_LAST = load_migrations()[-1].name
_PICTURE = Path("examples/picture.jpg").read_bytes()
_TABLES = """
    SELECT c.relname AS name
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname <> 'schema_migrations'
"""
# Two publications were scheduled by the version before: one's message is in the outbox, the other's with the broker.
_WAITING = "SELECT id, account_id FROM publications WHERE state = 'scheduled' ORDER BY account_id"


@pytest.fixture
async def old(empty_database_url):
    """The database of the version before."""
    connection = await asyncpg.connect(empty_database_url, command_timeout=60)
    await make_before_last(connection)
    yield connection
    await connection.close()


async def rows_of(connection):
    """Every row of every table, by table."""
    return {
        table["name"]: [
            json.loads(row["row"])
            for row in await connection.fetch(f"SELECT to_jsonb(t) AS row FROM {table['name']} AS t")  # noqa: S608 - names of tables
        ]
        for table in await connection.fetch(_TABLES)
    }


async def applied(connection):
    return {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}


def lacking(before, after):
    """The rows that are not there any more as they were; what was added to them is no matter."""
    lost = {}
    for table, rows in before.items():
        columns = list(rows[0]) if rows else []
        kept = {json.dumps({name: row.get(name) for name in columns}, sort_keys=True) for row in after[table]}
        lost[table] = [row for row in rows if json.dumps(row, sort_keys=True) not in kept]
    return {table: rows for table, rows in lost.items() if rows}


async def test_every_row_is_still_there_after_the_upgrade(old, operator_of, empty_database_url):
    """`instadistro migrate` applies the last migration alone, and changes no row of the version before."""
    before, known = await rows_of(old), await applied(old)

    status, said = await operator_of(empty_database_url).give("migrate")

    assert status == 0, said
    assert await applied(old) - known == {_LAST}
    assert lacking(before, await rows_of(old)) == {}


async def test_the_upgrade_hinders_services_that_still_run_only_for_as_long_as_it_takes(
    old, operator_of, empty_database_url
):
    """Writers of the version before go on while it migrates: none fails, and it waits for one that holds a row."""
    operator, stop = operator_of(empty_database_url), asyncio.Event()
    pool = await create_pool(empty_database_url, application_name="test")

    async def write(account_id, tx):
        """In the order in which a claim and its result write."""
        await tx.execute("UPDATE accounts SET updated_at = now() WHERE id = $1", account_id)
        await tx.execute("UPDATE publications SET updated_at = now() WHERE account_id = $1", account_id)

    async def write_on(account_id):
        written = 0
        while not stop.is_set():
            await run_in_transaction(pool, partial(write, account_id))
            written += 1
        return written

    accounts = [row["id"] for row in await old.fetch("SELECT id FROM accounts ORDER BY id")]
    writers = [asyncio.create_task(write_on(account_id)) for account_id in accounts[1:4]]
    try:
        async with old.transaction():
            await write(accounts[0], old)
            migrating = asyncio.create_task(operator.give("migrate"))
            waiting = await asyncio.wait([migrating], timeout=0.5)
        status, said = await migrating
    finally:
        stop.set()
    written = await asyncio.gather(*writers)
    await pool.close()

    assert migrating not in waiting[0]
    assert status == 0, said
    assert all(written)


async def test_what_the_version_before_scheduled_is_published_by_this_one(
    old, operator_of, empty_database_url, amqp_url, instance
):
    """Its rows, its message in the outbox, its message with the broker, its API key and its media all serve."""
    operator = operator_of(empty_database_url)
    key = new_api_key(operator.settings.api_key_pepper)
    await old.execute(
        "UPDATE api_keys SET key_id = $1, secret_hash = $2 WHERE key_id = 'key1'", key.key_id, key.secret_hash
    )
    for medium in await old.fetch("SELECT key FROM media"):
        (operator.media / medium["key"]).write_bytes(_PICTURE)
    in_outbox, at_broker = await old.fetch(_WAITING)
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(emulating())
        for waiting in (in_outbox, at_broker):
            await connect_account(old, platform, waiting["account_id"])
        await old.execute("UPDATE publications SET next_attempt_at = now() WHERE state = 'scheduled'")
        await send_as_before(old, amqp_url, at_broker["id"])
        await old.execute("UPDATE outbox SET due_at = now()")
        ports = stack.enter_context(free_ports())
        instance.create()
        log = stack.enter_context(closing(BoundedFile(instance.logs / "system.log")))
        environment = {
            **operator.environment,
            "INSTAGRAM_GRAPH_URL": platform.url,
            # The rescue would send a message for what the old ones do not wake.
            "RESCUE_AFTER_S": "600",
        }
        system = System(instance, ports, extra_environment=environment, log=Log(file=log))
        await stack.enter_async_context(system)
        http = await stack.enter_async_context(aiohttp.ClientSession(headers={"Authorization": f"Bearer {key.text}"}))

        async def states():
            rows = await old.fetch(
                "SELECT state FROM publications WHERE id = ANY($1)", [in_outbox["id"], at_broker["id"]]
            )
            return {row["state"] for row in rows} == {"published"}

        await until(states, what="both publications", deadline_s=60)
        async with http.get(f"http://127.0.0.1:{ports.api}/v1/publications/{in_outbox['id']}") as answer:
            told = await answer.json()
        async with http.get(f"{platform.url}/_emulator/media") as answer:
            live = [post["caption"] for post in await answer.json()]

    assert told["state"] == "published"
    assert sorted(live) == ["Own words 1", "Own words 2"]
    assert await old.fetchval("SELECT count(*) FROM dead_jobs WHERE type = 'post:publish' AND died_at > now()") == 0


async def connect_account(connection, platform, account_id):
    """An account of the platform's, with a token that is sealed as before."""
    made = await platform.new_account()
    user_id = await connection.fetchval("SELECT user_id FROM accounts WHERE id = $1", account_id)
    sealed = CIPHER.encrypt(made["access_token"], user_id=user_id, row_id=account_id, column="access_token")
    await connection.execute(
        "UPDATE account_tokens SET sealed = $2 WHERE account_id = $1", account_id, sealed.ciphertext
    )
    await connection.execute("UPDATE accounts SET instagram_user_id = $2 WHERE id = $1", account_id, made["ig_user_id"])


async def send_as_before(connection, amqp_url, publication_id):
    """Its row of the outbox is with the broker, byte for byte as the relay of the version before sent it."""
    row = await connection.fetchrow("DELETE FROM outbox WHERE subject = $1 RETURNING *", str(publication_id))
    async with open_session((amqp_url,), name="test") as session:
        await declare_topology(session.connection)
    broker = await aio_pika.connect(amqp_url)
    async with broker, broker.channel() as channel:
        message = aio_pika.Message(row["payload"].encode(), headers=json.loads(row["headers"]), priority=3)
        exchange = await channel.get_exchange(row["exchange"])
        await exchange.publish(message, row["routing_key"])
