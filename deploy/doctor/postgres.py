"""PostgreSQL: is it there, does it let us in, is it the right one, has it room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

import asyncpg

from deploy.doctor.check import Area, Check, RefusedError
from deploy.doctor.clocks import judge_clock
from deploy.doctor.database import Database
from deploy.doctor.finding import Verdict, failed, ok, warning
from deploy.doctor.keys import look_at_api_key, look_at_keys
from deploy.doctor.network import place_of, unreachable
from deploy.doctor.outbox import look_at_outbox
from deploy.doctor.schema import look_at_indexes, look_at_migrations, look_at_partitions, look_at_rights
from deploy.doctor.setup import Setup
from shared.database import create_pool
from shared.errors import NotReadyError

_OLDEST = 15
_FULL = 0.8  # of the connections that may be open
_CONNECTIONS = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
               AS server_most,
           (SELECT sum(numbackends)::int FROM pg_stat_database) AS server_open,
           nullif(pg_database.datconnlimit, -1) AS database_most,
           (SELECT numbackends FROM pg_stat_database WHERE datid = pg_database.oid) AS database_open,
           nullif(pg_roles.rolconnlimit, -1) AS role_most,
           (SELECT count(*)::int FROM pg_stat_activity WHERE usename = current_user) AS role_open
    FROM pg_database CROSS JOIN pg_roles
    WHERE pg_database.datname = current_database() AND pg_roles.rolname = current_user
"""
_TIME = "SELECT clock_timestamp()"


@asynccontextmanager
async def _connect(setup: Setup) -> AsyncIterator[Database]:
    url = setup.settings.database_url
    try:
        pool = await create_pool(url, application_name="doctor", max_size=1)
    except NotReadyError as error:
        raise _refusal(error.__cause__ or error, url) from error
    try:
        yield Database(pool=pool, setup=setup)
    finally:
        await pool.close()


def _refusal(error: BaseException, url: str) -> RefusedError:
    server, parts = f"PostgreSQL at {place_of(url)}", urlsplit(url)
    role, database = unquote(parts.username or ""), unquote(parts.path.removeprefix("/"))
    if isinstance(error, asyncpg.InvalidPasswordError):
        return RefusedError(
            f"{server} refuses the password of the role {role!r}.",
            do=f"Correct the password in DATABASE_URL, or give the role that one (ALTER ROLE {role} PASSWORD ...).",
        )
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return RefusedError(
            f"{server} has no database {database!r}.",
            do=f"Correct DATABASE_URL, or make it (CREATE DATABASE {database} OWNER {role}) and `instadistro migrate`.",
        )
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return RefusedError(
            f"{server} takes no more connections.",
            do="Close what is open without need, or raise max_connections (or the limit of the role or the database).",
        )
    if isinstance(error, asyncpg.PostgresError):
        return RefusedError(
            f"{server} does not let the role {role!r} in: {error}.",
            do="Give the role the rights it lacks (LOGIN; CONNECT on the database; an entry in pg_hba.conf), or wait"
            " where the server is still starting.",
        )
    return unreachable(error, server="PostgreSQL", url=url, setting="DATABASE_URL")


async def look_at_server(database: Database) -> Verdict:
    """That it let us in."""
    return ok(f"PostgreSQL at {place_of(database.setup.settings.database_url)} answers.")


async def look_at_version(database: Database) -> Verdict:
    """Whether the server is new enough."""
    async with database.pool.acquire() as connection:
        version = connection.get_server_version()
    return judge_version(version.major)


def judge_version(major: int) -> Verdict:
    """What a version of the server means."""
    if major < _OLDEST:
        return failed(
            f"PostgreSQL is of version {major}; {_OLDEST} or newer is needed.",
            do=f"Upgrade the server to PostgreSQL {_OLDEST} or newer (pg_upgrade, or a dump and its restore).",
        )
    return ok(f"PostgreSQL is of version {major}.")


async def look_at_connections(database: Database) -> Verdict:
    """Whether the server, the database and the role have connections left."""
    row = await database.pool.fetchrow(_CONNECTIONS)
    if row is None:
        return failed("PostgreSQL does not tell of its connections.", do="See whether the role and database exist.")
    for whose in ("server", "database", "role"):
        most, count = row[f"{whose}_most"], row[f"{whose}_open"]
        if most is not None and count >= _FULL * most:
            return warning(
                f"{count} of the {most} connections that the {whose} may have are open.",
                do="Close what is open without need, or raise the limit (max_connections; CONNECTION LIMIT of the role"
                " or the database). A process of this system takes up to 20.",
            )
    return ok(f"{row['server_open']} of {row['server_most']} connections are open.")


async def look_at_clock(database: Database) -> Verdict:
    """Whether this machine and the database agree about the time."""
    before = database.setup.now()
    theirs = await database.pool.fetchval(_TIME)
    return judge_clock(theirs, before=before, after=database.setup.now(), whose="PostgreSQL's", most_s=1.0)


POSTGRES = Area(
    name="postgres",
    enter=_connect,
    checks=(
        Check(name="postgres.connects", look=look_at_server),
        Check(name="postgres.version", look=look_at_version),
        Check(name="postgres.connections", look=look_at_connections),
        Check(name="postgres.clock", look=look_at_clock),
        Check(name="postgres.rights", look=look_at_rights, needs=("postgres.version",)),
        Check(name="postgres.migrations", look=look_at_migrations, needs=("postgres.rights",)),
        Check(name="postgres.indexes", look=look_at_indexes, needs=("postgres.migrations",)),
        Check(name="postgres.partitions", look=look_at_partitions, needs=("postgres.migrations",)),
        Check(name="postgres.keys", look=look_at_keys, needs=("postgres.migrations",)),
        Check(name="postgres.api_key", look=look_at_api_key, needs=("postgres.migrations",)),
        Check(
            name="postgres.outbox",
            look=look_at_outbox,
            needs=("postgres.migrations", "rabbitmq.publishes", "rabbitmq.topology", "rabbitmq.arguments"),
        ),
    ),
)
