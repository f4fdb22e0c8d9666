"""Migrations: numbered SQL files, applied once each, forward only, safe to start from any number of replicas."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from importlib import resources

import asyncpg

from shared.errors import InstaDistroError, NotReadyError

# Any fixed number serves: replicas that migrate at the same time queue up behind this lock.
_ADVISORY_LOCK = 0x1D157
_FILE_NAME = re.compile(r"^\d{4}_[a-z0-9_]+\.sql$")
_RETRY_S = 0.25


class MigrationError(InstaDistroError):
    """The database does not fit the migrations of this version; the text says how and what to do."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file: its name, its SQL, and the digest that proves it has not changed since it was applied."""

    name: str
    sql: str
    digest: str


def load_migrations() -> list[Migration]:
    """All migrations in the order they apply."""
    folder = resources.files("shared.database") / "migrations"
    names = sorted(item.name for item in folder.iterdir() if _FILE_NAME.match(item.name))
    texts = [(name, (folder / name).read_text(encoding="utf-8")) for name in names]
    return [Migration(name=name, sql=text, digest=hashlib.sha256(text.encode()).hexdigest()) for name, text in texts]


async def migrate(database_url: str, *, deadline_s: float, server_s: float | None = None) -> list[str]:
    """Bring the database up to this version's schema.

    Args:
        database_url: `postgresql://...`, with the right to create tables.
        deadline_s: seconds for all of it, the wait for the server included.
        server_s: seconds of them to wait for the server; all of them if None.

    Returns:
        The names of the migrations applied now; empty if nothing was missing.

    Raises:
        NotReadyError: the server did not answer in time. Start it and run again.
        MigrationError: the database was migrated by other files than these. Use the version that fits it.
    """
    try:
        async with asyncio.timeout(deadline_s):
            async with asyncio.timeout(server_s):
                connection = await _connect(database_url)
            try:
                return await _apply_missing(connection)
            finally:
                await connection.close()
    except TimeoutError as error:
        raise NotReadyError(
            f"migrations did not finish within {deadline_s:g} s, or PostgreSQL did not answer; is it up?"
        ) from error


async def _connect(database_url: str) -> asyncpg.Connection[asyncpg.Record]:
    while True:
        try:
            return await asyncpg.connect(database_url, server_settings={"application_name": "instadistro-migrate"})
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError):
            await asyncio.sleep(_RETRY_S)


async def _apply_missing(connection: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    await connection.execute("SELECT pg_advisory_lock($1)", _ADVISORY_LOCK)
    await connection.execute(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            name text PRIMARY KEY,
            digest text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    applied = {
        row["name"]: row["digest"] for row in await connection.fetch("SELECT name, digest FROM schema_migrations")
    }
    migrations = load_migrations()
    _check_history(applied, migrations)
    missing = [migration for migration in migrations if migration.name not in applied]
    for migration in missing:
        await _apply(connection, migration)
    return [migration.name for migration in missing]


async def _apply(connection: asyncpg.Connection[asyncpg.Record], migration: Migration) -> None:
    """In one transaction; again where a service that still runs and it waited for each other."""
    while True:
        try:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_migrations (name, digest) VALUES ($1, $2)", migration.name, migration.digest
                )
        except asyncpg.DeadlockDetectedError:
            await asyncio.sleep(_RETRY_S)
        else:
            return


def _check_history(applied: dict[str, str], migrations: list[Migration]) -> None:
    known = {migration.name: migration.digest for migration in migrations}
    for name, digest in applied.items():
        if name not in known:
            raise MigrationError(
                f"the database has migration {name}, which this version does not know. Use a newer version."
            )
        if known[name] != digest:
            raise MigrationError(
                f"migration {name} was changed after it was applied. Restore its text; add a new migration."
            )
