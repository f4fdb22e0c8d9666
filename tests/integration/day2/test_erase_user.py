"""Erasing a user: nothing of theirs stays anywhere, nothing of others goes."""

import re
from uuid import UUID

import pytest

from shared.database import create_pool
from tests.old_rows import fill
from tests.seeds import seed_publications, seed_tenant

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TABLES = """
    SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns,
           array_agg(format_type(a.atttypid, NULL) ORDER BY a.attnum) AS types
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    GROUP BY c.relname
"""


@pytest.fixture
async def pool(operator):
    async with await create_pool(operator.settings.database_url, application_name="test") as pool:
        yield pool


async def tables(pool):
    return {row["name"]: dict(zip(row["columns"], row["types"], strict=True)) for row in await pool.fetch(_TABLES)}


async def ids_anywhere(pool):
    """Every id that stands in any column of any table, in whatever form, by table."""
    found = {}
    for table, columns in (await tables(pool)).items():
        texts = [
            f"coalesce(encode({name}, 'escape'), '')" if kind == "bytea" else f"coalesce({name}::text, '')"
            for name, kind in columns.items()
        ]
        text = f"concat_ws(' ', {', '.join(texts)})"
        rows = await pool.fetch(f"SELECT DISTINCT (regexp_matches({text}, '{_UUID}', 'g'))[1] AS id FROM {table}")  # noqa: S608 - names of tables and columns
        found[table] = {row["id"] for row in rows}
    return found


async def ids_of(pool, user_id):
    """The user's own, and those of all rows that are theirs."""
    own = {str(user_id)}
    for table, columns in (await tables(pool)).items():
        if "user_id" in columns and columns.get("id") == "uuid":
            rows = await pool.fetch(f"SELECT id FROM {table} WHERE user_id = $1", user_id)  # noqa: S608 - as above
            own |= {str(row["id"]) for row in rows}
    return own


async def count_others(pool, user_id):
    return {
        table: await pool.fetchval(f"SELECT count(*) FROM {table} WHERE user_id <> $1", user_id)  # noqa: S608 - as above
        for table, columns in (await tables(pool)).items()
        if "user_id" in columns
    }


async def test_after_an_erasure_no_table_knows_the_user(operator, pool):
    """With rows in every table: neither its id nor one of its rows' is anywhere, in no column; others keep theirs."""
    await fill(operator.settings.database_url)
    user_id: UUID = await pool.fetchval("SELECT id FROM users WHERE email = '1@example.com'")
    keys = {row["key"]: row["user_id"] for row in await pool.fetch("SELECT key, user_id FROM media")}
    for key in keys:
        (operator.media / key).write_bytes(b"picture")
    own, others = await ids_of(pool, user_id), await count_others(pool, user_id)

    status, said = await operator.give("users", "erase", "1@EXAMPLE.com", "--yes")

    left = {table: sorted(ids & own)[:3] for table, ids in (await ids_anywhere(pool)).items() if ids & own}
    assert status == 0, said
    assert len(own) > 30
    assert left == {}
    assert await count_others(pool, user_id) == others
    assert await pool.fetchval("SELECT array_agg(email) FROM users") == ["2@example.com"]
    assert {path.name for path in operator.media.iterdir()} == {key for key, owner in keys.items() if owner != user_id}
    assert re.search(r"Erased: [0-9,]+ rows, 2 media", said)


async def test_the_rows_of_these_tests_fill_every_table(operator, pool):
    """A table that is added is filled too, or an erasure and an upgrade were tested without it."""
    await fill(operator.settings.database_url)

    empty = [table for table in await tables(pool) if not await pool.fetchval(f"SELECT count(*) FROM {table}")]  # noqa: S608 - names of tables

    assert empty == []


async def test_nothing_goes_unless_it_is_said_twice(operator, pool):
    """Without a terminal and without --yes it only counts."""
    tenant = await seed_tenant(pool)

    status, said = await operator.give("users", "erase", f"{tenant.user_id}@example.com")

    assert status == 1
    assert re.search(r"accounts +1\n", said)
    assert "Nothing was erased. Give --yes" in said
    assert await pool.fetchval("SELECT count(*) FROM accounts") == 1


async def test_what_a_worker_is_at_is_waited_for_and_a_repetition_goes_on(operator, pool):
    """The keys are void and what waits is canceled at once; the rows go when the worker's lease has ended."""
    tenant = await seed_tenant(pool, instagram=[("1", "token-one"), ("2", "token-two")])
    under_way, waiting = await seed_publications(pool, tenant, due_in_s=3600)
    await pool.execute(
        """
        UPDATE publications
        SET state = 'publishing', lease_until = now() + interval '1 hour', lease_owner = 'w'
        WHERE id = $1
        """,
        under_way,
    )
    words = ("users", "erase", f"{tenant.user_id}@example.com", "--yes")

    first = await operator.give(*words)
    rows = {row["id"]: (row["state"], row["halt"]) for row in await pool.fetch("SELECT * FROM publications")}
    await pool.execute("UPDATE publications SET lease_until = now() WHERE state = 'publishing'")
    second = await operator.give(*words)

    assert first[0] == 1
    assert "Give the command again" in first[1]
    assert rows == {under_way: ("publishing", "cancel"), waiting: ("canceled", None)}
    assert second[0] == 0, second
    assert await pool.fetchval("SELECT count(*) FROM publications") == 0


async def test_what_was_uploaded_meanwhile_is_not_left_behind(operator, pool):
    """A row of media stays until its bytes are gone, and its user until the last one is."""
    tenant = await seed_tenant(pool)
    await pool.execute(
        """
        CREATE FUNCTION upload() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, sha256)
            VALUES (gen_random_uuid(), OLD.user_id, 'late.jpg', 'image', 'image/jpeg', 7, 1, 1, '00');
            RETURN NULL;
        END $$
        """
    )
    await pool.execute("CREATE TRIGGER late AFTER DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION upload()")
    (operator.media / "late.jpg").write_bytes(b"picture")
    words = ("users", "erase", f"{tenant.user_id}@example.com", "--yes")

    first = await operator.give(*words)
    second = await operator.give(*words)

    assert first[0] == 1
    assert "has added media. Give the command again" in first[1]
    assert second[0] == 0, second
    assert list(operator.media.iterdir()) == []
    assert await pool.fetchval("SELECT count(*) FROM users") == 0


async def test_users_are_listed_and_one_that_is_not_there_is_said_so(operator, pool):
    """By address, with what each has."""
    tenant = await seed_tenant(pool)

    listed = await operator.give("users", "list")
    unknown = await operator.give("users", "erase", "nobody@example.com", "--yes")

    assert listed[0] == 0
    assert f"{tenant.user_id}@example.com  1 account, since " in listed[1]
    assert unknown == (1, "instadistro: There is no user nobody@example.com. See `instadistro users list`.\n")
