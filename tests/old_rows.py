"""A database as the version before wrote it: the schema of an earlier migration, with rows in every table."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from shared.database.migrate import Migration, load_migrations

_ROWS = Path(__file__).parent / "upgrade"
_DEADLINE_S = 60


def rows_after(migration: Migration) -> str:
    """The rows that a version with this migration as its last one wrote."""
    file = _ROWS / f"rows_{migration.name[:4]}.sql"
    assert file.is_file(), f"{file} is missing: write it anew for each version, from the one before"
    return file.read_text(encoding="utf-8")


async def make_before_last(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """In an empty database: every migration but the last, as `migrate` applies them, and then the rows."""
    *applied, _ = load_migrations()
    await connection.execute(
        "CREATE TABLE schema_migrations (name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL"
        " DEFAULT now())"
    )
    for migration in applied:
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (name, digest) VALUES ($1, $2)", migration.name, migration.digest
        )
    await connection.execute(rows_after(applied[-1]))


async def fill(database_url: str) -> None:
    """The same rows in a database of this version."""
    connection = await asyncpg.connect(database_url, command_timeout=_DEADLINE_S)
    try:
        await connection.execute(rows_after(load_migrations()[-2]))
    finally:
        await connection.close()
