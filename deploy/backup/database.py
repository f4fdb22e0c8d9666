"""The database that a backup is restored into: whether it may be, and its state until the restore is complete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg

from deploy.backup.errors import BackupError
from deploy.backup.manifest import COUNTED
from shared.database import Connection
from shared.errors import NotReadyError

_CONNECT_S = 10.0
# A server process outlives its closed connection for a moment, our own of just before included.
_LEAVING_S = 5.0
_LOOK_EVERY_S = 0.1
_OTHERS = """
    SELECT coalesce(nullif(application_name, ''), usename::text, 'somebody') AS name, count(*) AS number
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND coalesce(backend_type, 'client backend') = 'client backend'
    GROUP BY 1
    ORDER BY 1
"""
_HAS_USERS = "SELECT to_regclass('public.users') IS NOT NULL"
_COUNT_USERS = "SELECT count(*) FROM users"
_SERVER = "SELECT current_setting('server_version_num')::int / 10000"
# Until the last transaction of the restore nobody can write, so nothing of a half restored database is published.
_CLOSE = """
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$
"""
OPEN = """
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$
"""
# A restore that was not completed. Of the database alone: a role may be read-only for its own reasons.
IS_CLOSED = """
    SELECT EXISTS (
        SELECT FROM pg_db_role_setting
        JOIN pg_database ON pg_database.oid = setdatabase
        WHERE datname = current_database() AND setrole = 0 AND 'default_transaction_read_only=on' = ANY(setconfig)
    )
"""
_EMPTY = "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public"


def writable(database_url: str) -> str:
    """The same database, for sessions that may write while it is closed to others."""
    parts = urlsplit(database_url)
    query = [*parse_qsl(parts.query), ("default_transaction_read_only", "off")]
    return parts._replace(query=urlencode(query)).geturl()


@asynccontextmanager
async def connect(database_url: str) -> AsyncIterator[Connection]:
    """A session of the restore's own: it writes, and its statements take as long as they take.

    Raises:
        NotReadyError: the database is away.
    """
    settings = {"application_name": "instadistro-restore", "statement_timeout": "0", "timezone": "UTC"}
    try:
        connection = await asyncpg.connect(writable(database_url), timeout=_CONNECT_S, server_settings=settings)
    except (TimeoutError, OSError, asyncpg.PostgresError) as error:
        raise NotReadyError(
            f"PostgreSQL cannot be reached: {error or type(error).__name__}. Check DATABASE_URL."
        ) from error
    try:
        yield connection
    except asyncpg.InsufficientPrivilegeError as error:
        raise BackupError(f"The role of DATABASE_URL may not do that: {error}. It must own the database.") from error
    finally:
        await connection.close()


async def require_alone(connection: Connection) -> None:
    """Raises BackupError if anybody else is connected: a service that runs would publish in the midst of it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LEAVING_S
    while (others := await connection.fetch(_OTHERS)) and loop.time() < deadline:  # noqa: ASYNC110 - other processes are waited for
        await asyncio.sleep(_LOOK_EVERY_S)
    if others:
        names = ", ".join(f"{row['name']} ({row['number']})" for row in others)
        raise BackupError(
            f"Others are connected to the database: {names}. Stop every service first, then restore again."
        )


async def require_room(connection: Connection, *, replace: bool, major: int) -> None:
    """Raises BackupError if the database has users and may not be replaced, or its server is older than the backup."""
    server = await connection.fetchval(_SERVER)
    if server < major:
        raise BackupError(f"The backup is of PostgreSQL {major}, and this server is {server}. Use {major} or newer.")
    if not replace and await connection.fetchval(_HAS_USERS) and (users := await connection.fetchval(_COUNT_USERS)):
        raise BackupError(
            f"The database is in use: it has {users} users. With --replace all that is in it is thrown away, and the "
            "backup takes its place."
        )


async def close_and_empty(connection: Connection) -> None:
    """Throw away what is in the database, and close it to everybody who does not restore it."""
    async with connection.transaction():
        await connection.execute(_CLOSE)
        await connection.execute(_EMPTY)


async def require_rows(connection: Connection, rows: Mapping[str, int]) -> None:
    """Raises BackupError if a table has not as many rows as it had."""
    for table in COUNTED:
        number, found = rows.get(table, 0), await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - a constant's words
        if found != number:
            raise BackupError(f"{table} has {found} rows after the restore, and had {number}. Take another backup.")
