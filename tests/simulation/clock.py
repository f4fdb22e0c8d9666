"""A database whose clock is ours: every statement of the product asks it, and so time passes as fast as we like."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

import asyncpg

from shared.database import Pool, migrate

_DEADLINE_S = 60
# Found before those of pg_catalog, by statements and by the defaults of the tables that are made after them.
_CLOCK = """
    CREATE SCHEMA virtual;
    CREATE TABLE virtual.clock (at timestamptz NOT NULL);
    CREATE FUNCTION virtual.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM virtual.clock';
    CREATE FUNCTION virtual.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM virtual.clock';
"""


async def create_database(server: str, name: str, *, begin: datetime) -> str:
    """A migrated database in which it is `begin`; returns its URL. Drop it when done."""
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    await execute(server, f"CREATE DATABASE {name} TEMPLATE template0")
    await execute(server, f"ALTER DATABASE {name} SET search_path = public, virtual, pg_catalog")
    await execute(url, _CLOCK)
    await execute(url, f"INSERT INTO virtual.clock VALUES ('{begin.isoformat()}')")  # noqa: S608 - a time
    await migrate(url, deadline_s=_DEADLINE_S)
    return url


async def drop_database(server: str, name: str) -> None:
    """Take it away, with whoever is still connected to it."""
    await execute(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def set_clock(pool: Pool, at: datetime) -> None:
    """Let it be another time for all."""
    await pool.execute("UPDATE virtual.clock SET at = $1", at)


async def execute(url: str, statement: str) -> None:
    """Run statements on a connection of their own."""
    connection = await asyncpg.connect(url, timeout=_DEADLINE_S, command_timeout=_DEADLINE_S)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
