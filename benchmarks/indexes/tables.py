"""The tables whose writes are measured, and how the system writes to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.database import Connection

_ROWS = 2_000  # of one batch
# Ids that grow with time, as those of the code.
_NEW_ID = """(
    lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || substr(md5(random()::text), 13)
)::uuid"""
# An identity is the server's to give.
_COLUMNS = """
SELECT string_agg(attname, ', ' ORDER BY attnum)
FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attidentity = ''
"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table."""

    name: str
    key: str = "id"
    only: str = "true"  # which of its rows are copied and changed
    renew: str | None = None  # what a copy has of its own; None: rows are not added to it in numbers
    change: str | None = None  # None: its rows hardly ever change


TABLES = (
    Table(
        name="publications",
        only="state = 'scheduled'",
        renew=f"id = {_NEW_ID}, distribution_id = NULL, created_at = now(), updated_at = now()",
        change="""
            state = 'publishing', lease_until = now() + interval '1 minute', lease_owner = 'worker', epoch = epoch + 1,
            updated_at = now()
        """,
    ),
    Table(
        name="accounts",
        only="state = 'ACTIVE'",
        renew=f"id = {_NEW_ID}, created_at = now(), instagram_user_id = '9' || instagram_user_id",
        change="state = 'NEEDS_REAUTH', state_reason = 'token_expired', updated_at = now()",
    ),
    Table(name="posts", renew=f"id = {_NEW_ID}, created_at = now()"),
    Table(name="media", renew=f"id = {_NEW_ID}, created_at = now(), key = 'new' || key"),
    Table(name="distributions", renew=f"id = {_NEW_ID}, created_at = now()"),
    Table(name="outbox", renew="subject = 'new' || subject", change="due_at = due_at + interval '1 minute'"),
    Table(
        name="health_scores",
        key="account_id",
        change="""score = greatest(score - 1, 0), components = '{"api": 80, "posting": 70}', computed_at = now()""",
    ),
    Table(name="recurring_jobs", key="name", change="next_due_at = next_due_at + interval '1 hour'"),
    Table(name="dead_jobs", renew="id = gen_random_uuid(), died_at = now()"),
)


async def batches(connection: Connection, table: Table) -> Mapping[str, str]:
    """The statements to measure: `insert` adds a batch of rows, `update` changes one.

    Must be called in a transaction; what the statements need lies in a temporary table that ends with it.
    """
    fresh, columns = f"fresh_{table.name}", await connection.fetchval(_COLUMNS, table.name)
    chosen = f"SELECT * FROM {table.name} WHERE {table.only} LIMIT {_ROWS}"
    await connection.execute(f"CREATE TEMP TABLE {fresh} ON COMMIT DROP AS {chosen}")
    await connection.execute(f"CREATE TEMP TABLE old_{fresh} ON COMMIT DROP AS SELECT {table.key} FROM {fresh}")
    found = {}
    if table.renew is not None:
        await connection.execute(f"UPDATE {fresh} SET {table.renew}")
        found["insert"] = f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {fresh}"
    if table.change is not None:
        keys = f"SELECT {table.key} FROM old_{fresh}"
        found["update"] = f"UPDATE {table.name} SET {table.change} WHERE {table.key} IN ({keys})"
    return found
