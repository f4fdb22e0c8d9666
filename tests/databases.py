"""Databases that one test after another uses: making one costs eight times what emptying one does."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

_DEADLINE_S = 30
_LOCKS_WITHIN = "5s"
# A database that was emptied often is full of what vacuum has not come to yet.
_USES_MOST = 50

# Whatever a test may have changed besides rows shows here; `reltuples` tells of statistics, which change plans.
_SHAPE = """
    SELECT md5(concat(
        (SELECT string_agg(concat(oid, xmin, ctid, reltuples), ',' ORDER BY oid) FROM pg_class
         WHERE relnamespace = 'public'::regnamespace),
        (SELECT string_agg(concat(oid, xmin, ctid), ',' ORDER BY oid) FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace),
        (SELECT string_agg(concat(oid, xmin, ctid), ',' ORDER BY oid) FROM pg_trigger),
        (SELECT string_agg(concat(oid, xmin, ctid), ',' ORDER BY oid) FROM pg_constraint),
        (SELECT string_agg(concat(oid, xmin, ctid), ',' ORDER BY oid) FROM pg_attrdef),
        (SELECT string_agg(concat(indexrelid, xmin, ctid), ',' ORDER BY indexrelid) FROM pg_index),
        (SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_'),
        (SELECT string_agg(setconfig::text, ',') FROM pg_db_role_setting
         WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())),
        (SELECT string_agg(concat(name, digest, applied_at), ',' ORDER BY name) FROM schema_migrations),
        (SELECT string_agg(warmup_protocols::text, ',' ORDER BY id) FROM warmup_protocols)
    ))
"""
_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTY = """
    DO $$
    DECLARE item text;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR item IN
            SELECT oid::regclass FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
              AND relname NOT IN ('schema_migrations', 'warmup_protocols')
        LOOP
            EXECUTE 'DELETE FROM ' || item;
        END LOOP;
        PERFORM setval(oid::regclass, 1, false) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S';
    END $$
"""


class Databases:
    """Migrated databases of one server, each lent to one test at a time."""

    def __init__(self, server: str, *, template: str) -> None:
        self._server = server
        self._template = template
        self._shape: str | None = None
        self._free: list[_Database] = []

    async def lend(self) -> str:
        """The URL of a database in which nobody left anything."""
        self._lent = self._free.pop() if self._free else await self._make()
        return self._lent.url

    async def take_back(self) -> None:
        """Empty the one that was lent, or drop it where that would not make it as new."""
        database = self._lent
        database.uses += 1
        if database.uses < _USES_MOST and await self._emptied(database):
            self._free.append(database)
        else:
            await execute(self._server, f"DROP DATABASE {database.name} WITH (FORCE)")

    async def _make(self) -> _Database:
        name = f"test_{uuid4().hex}"
        await execute(self._server, f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return _Database(name=name, url=in_database(self._server, name))

    async def _emptied(self, database: _Database) -> bool:
        connection = await connect(database.url)
        try:
            await connection.execute(_END_OTHERS)
            if self._shape is None:
                self._shape = await self._shape_of_template()
            if await connection.fetchval(_SHAPE) != self._shape:
                return False
            await connection.execute(_EMPTY)
        except asyncpg.PostgresError:  # a lock that somebody holds, or less than a database
            return False
        finally:
            await connection.close()
        return True

    async def _shape_of_template(self) -> str:
        fresh = await self._make()
        connection = await connect(fresh.url)
        try:
            shape: str = await connection.fetchval(_SHAPE)
        finally:
            await connection.close()
        self._free.append(fresh)
        return shape


@dataclass(kw_only=True)
class _Database:
    name: str
    url: str
    uses: int = 0


def in_database(server: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def connect(url: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection that waits for nothing for long."""
    return await asyncpg.connect(
        url, timeout=_DEADLINE_S, command_timeout=_DEADLINE_S, server_settings={"lock_timeout": _LOCKS_WITHIN}
    )


async def execute(server: str, statement: str) -> None:
    """One statement on a connection of its own."""
    connection = await connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
