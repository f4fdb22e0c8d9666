"""The shape of the database: rights, migrations, indexes, partitions."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.doctor.database import Database
from deploy.doctor.finding import Verdict, failed, ok, warning
from deploy.doctor.words import listed
from shared.database import load_migrations
from shared.database.catalogue import INDEXES

_MIGRATE = "Run `instadistro migrate` with this version."

_SCHEMA = "SELECT has_schema_privilege(current_schema(), 'CREATE') AS may_create, current_user AS role"
# A table that is parted needs its owner: parts are made and dropped while the system runs.
_CLOSED = """
    SELECT class.relname AS name
    FROM pg_class AS class
    WHERE class.relnamespace = current_schema()::regnamespace AND class.relkind IN ('r', 'p')
      AND NOT (has_table_privilege(class.oid, 'SELECT') AND has_table_privilege(class.oid, 'INSERT')
               AND has_table_privilege(class.oid, 'UPDATE') AND has_table_privilege(class.oid, 'DELETE')
               AND (class.relkind = 'r' OR pg_has_role(class.relowner, 'USAGE')))
    ORDER BY class.relname
"""
_HAS_HISTORY = "SELECT to_regclass('schema_migrations') IS NOT NULL"
_HISTORY = "SELECT name, digest FROM schema_migrations"
_INDEXES = """
    SELECT class.relname AS name,
           pg_index.indisvalid OR EXISTS (
               SELECT FROM pg_stat_progress_create_index AS work WHERE work.index_relid = pg_index.indexrelid
           ) AS is_fine
    FROM pg_index JOIN pg_class AS class ON class.oid = pg_index.indexrelid
    WHERE class.relnamespace = current_schema()::regnamespace
"""
_PARTITIONS = """
    SELECT to_regclass('events_' || to_char((now() + interval '1 day') AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NOT NULL
               AS is_tomorrow_there,
           to_regclass('publications_archive_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')) IS NOT NULL
               AS is_month_there,
           EXISTS (SELECT FROM events_default) OR EXISTS (SELECT FROM publications_archive_default) AS has_strays
"""


async def look_at_rights(database: Database) -> Verdict:
    """Whether the role may do with the tables what the services do."""
    row = await database.pool.fetchrow(_SCHEMA)
    role = row["role"] if row is not None else ""
    if row is None or not row["may_create"]:
        return failed(
            f"The role {role!r} may not make tables in the database.",
            do=f"Let it own the database (ALTER DATABASE ... OWNER TO {role}), or GRANT ALL ON SCHEMA public to it.",
        )
    closed = [found["name"] for found in await database.pool.fetch(_CLOSED)]
    if closed:
        return failed(
            f"The role {role!r} lacks rights on {listed(closed)}.",
            do="Use the role that migrated the database in DATABASE_URL, or make this one a member of it"
            f" (GRANT owner TO {role}).",
        )
    return ok(f"The role {role!r} has the rights it needs.")


async def look_at_migrations(database: Database) -> Verdict:
    """Whether the database has the shape that this version expects."""
    if not await database.pool.fetchval(_HAS_HISTORY):
        return failed("The database was never migrated.", do=_MIGRATE)
    applied = {row["name"]: row["digest"] for row in await database.pool.fetch(_HISTORY)}
    return judge_migrations(applied)


def judge_migrations(applied: Mapping[str, str]) -> Verdict:
    """What the migrations that were applied mean for this version."""
    known = {migration.name: migration.digest for migration in load_migrations()}
    if newer := [name for name in sorted(applied) if name not in known]:
        return failed(
            f"The database is of a newer version: it has {listed(newer)}, which this one does not know.",
            do="Run the version that migrated it, or a newer one; there is no way back but a backup.",
        )
    if changed := [name for name, digest in sorted(applied.items()) if known[name] != digest]:
        return failed(
            f"{listed(changed)} {'was' if len(changed) == 1 else 'were'} changed after being applied.",
            do="Restore the files of shared/database/migrations as they were released; put changes into a new one.",
        )
    if missing := [name for name in known if name not in applied]:
        return failed(f"The database lacks {listed(missing)}.", do=_MIGRATE)
    return ok(f"All {len(known)} migrations are applied and unchanged.")


async def look_at_indexes(database: Database) -> Verdict:
    """Whether every index is there and whole."""
    found = {row["name"]: row["is_fine"] for row in await database.pool.fetch(_INDEXES)}
    if broken := [name for name, is_fine in sorted(found.items()) if not is_fine]:
        return failed(
            f"{listed(broken)} cannot be used: building was cut off or failed.",
            do=f"DROP INDEX CONCURRENTLY {broken[0]}; then build it again as docs/database.md says.",
        )
    if missing := [index.name for index in INDEXES if index.name not in found]:
        return failed(
            f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing: queries read whole tables.",
            do="Build them again as they stand in shared/database/migrations, with CREATE INDEX CONCURRENTLY.",
        )
    return ok(f"All {len(INDEXES)} indexes are there and valid.")


async def look_at_partitions(database: Database) -> Verdict:
    """Whether the parts of the parted tables were made in time."""
    row = await database.pool.fetchrow(_PARTITIONS)
    do = "Run `instadistro cleanup`, which makes them, and see in the log of the scheduler why it does not."
    if row is None or not row["is_tomorrow_there"]:
        return warning("The events of tomorrow have no partition yet.", do=do)
    if not row["is_month_there"]:
        return warning("This month has no partition in the archive of publications.", do=do)
    if row["has_strays"]:
        return warning(
            "Rows stand in a default partition: their day or month was not made in time.",
            do="They are found all the same and go when they are old. See that the scheduler runs, which makes the days"
            " ahead.",
        )
    return ok("The partitions of the days ahead are made.")
