"""Databases that are away, closed, of another shape, or filled with other secrets."""

from __future__ import annotations

import base64
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from deploy.cli.users import create_user
from deploy.doctor import Level
from deploy.doctor.postgres import judge_version
from shared.database import create_pool
from shared.security import TokenCipher
from shared.settings import load_settings
from tests.seeds import seed_tenant

PASSWORD = uuid4().hex


@pytest.fixture
async def database(patient):
    """A connection to the patient's database."""
    connection = await asyncpg.connect(patient.environ["DATABASE_URL"])
    yield connection
    await connection.close()


@asynccontextmanager
async def role(database, *, options=""):
    """A role of its own, with a password; gives its name and the URL to come in by."""
    name, password = f"role_{uuid4().hex}", uuid4().hex
    await database.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' {options}")
    try:
        yield name, password
    finally:
        await database.execute(f"DROP OWNED BY {name}")
        await database.execute(f"DROP ROLE {name}")


def with_login(url, name, password):
    parts = urlsplit(url)
    return parts._replace(netloc=f"{name}:{password}@{parts.hostname}:{parts.port}").geturl()


async def test_a_database_that_does_not_let_us_in_is_one_finding(patient):
    """Each reason has its own words; what depends on the database is skipped, and nothing else suffers."""
    url = patient.environ["DATABASE_URL"]
    parts = urlsplit(url)
    refusals = {
        "refuses the password of the role 'instadistro'": with_login(url, "instadistro", uuid4().hex),
        "nobody listens there": parts._replace(netloc=f"me:{PASSWORD}@127.0.0.1:1").geturl(),
        "its host name is not known": parts._replace(netloc=f"me:{PASSWORD}@nope.invalid").geturl(),
        "has no database 'lost'": parts._replace(path="/lost").geturl(),
        "rejected SSL upgrade": f"{url}?sslmode=require",
    }

    for words, broken in refusals.items():
        patient.environ["DATABASE_URL"] = broken
        finding = await patient.only_ill("postgres.connects")

        assert words in finding.says
        assert PASSWORD not in finding.says + finding.do


async def test_a_role_without_connections_left_is_found(patient, database):
    """The last connection of a role is taken."""
    async with role(database, options="CONNECTION LIMIT 1") as (name, password):
        patient.environ["DATABASE_URL"] = url = with_login(patient.environ["DATABASE_URL"], name, password)
        holder = await asyncpg.connect(url)
        try:
            finding = await patient.only_ill("postgres.connects")
        finally:
            await holder.close()

    assert "takes no more connections" in finding.says


async def test_connections_that_are_nearly_used_up_are_found(patient, database):
    """A database that allows five, with four open."""
    name = await database.fetchval("SELECT current_database()")
    await database.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 5")
    others = [await asyncpg.connect(patient.environ["DATABASE_URL"]) for _ in range(3)]
    try:
        finding = await patient.only_ill("postgres.connections", Level.WARNING)
    finally:
        for other in others:
            await other.close()
        await database.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")  # others use it after this test

    assert "of the 5 connections that the database may have" in finding.says


async def test_an_old_server_is_found():
    """Fourteen is too old, fifteen is not."""
    assert judge_version(14).level is Level.FAILED
    assert judge_version(15).level is Level.OK


async def test_a_clock_that_is_wrong_is_found_once(patient):
    """This machine's clock differs from the database's and the platform's: one cause, one finding."""
    for shift_s, words in ((90, "90 s ahead of"), (-5, "5 s behind")):
        shift = timedelta(seconds=shift_s)
        finding = await patient.only_ill("postgres.clock", now=lambda shift=shift: datetime.now(UTC) + shift)

        assert words in finding.says


async def test_a_role_without_rights_is_found(patient, database):
    """It may look, and not write."""
    async with role(database) as (name, password):
        await database.execute(f"GRANT ALL ON SCHEMA public TO {name}")
        await database.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
        patient.environ["DATABASE_URL"] = with_login(patient.environ["DATABASE_URL"], name, password)

        finding = await patient.only_ill("postgres.rights")

    assert "lacks rights on account" in finding.says


async def test_a_database_without_tables_is_found(patient, empty_database_url):
    """Never migrated is told as that."""
    patient.environ["DATABASE_URL"] = empty_database_url

    finding = await patient.only_ill("postgres.migrations")

    assert finding.says == "The database was never migrated."
    assert "instadistro migrate" in finding.do


async def test_other_migrations_than_this_versions_are_found(patient, database):
    """Changed, missing, newer."""
    name = "0006_time_and_health.sql"
    await database.execute("UPDATE schema_migrations SET digest = '0' WHERE name = $1", name)
    changed = await patient.only_ill("postgres.migrations")
    await database.execute("DELETE FROM schema_migrations WHERE name = $1", name)
    missing = await patient.only_ill("postgres.migrations")
    await database.execute("INSERT INTO schema_migrations (name, digest) VALUES ('9999_later.sql', '0')")
    newer = await patient.only_ill("postgres.migrations")

    assert changed.says == f"{name} was changed after being applied."
    assert missing.says == f"The database lacks {name}."
    assert "newer version: it has 9999_later.sql" in newer.says


async def test_an_index_that_was_not_built_is_found(patient, database):
    """What CREATE INDEX CONCURRENTLY leaves when it fails, and an index that somebody dropped."""
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.execute("CREATE UNIQUE INDEX CONCURRENTLY left_over ON warmup_protocols ((1))")
    left_over = await patient.only_ill("postgres.indexes")
    await database.execute("DROP INDEX left_over")
    await database.execute("DROP INDEX account_tokens_key")
    dropped = await patient.only_ill("postgres.indexes")

    assert "left_over cannot be used" in left_over.says
    assert "DROP INDEX CONCURRENTLY left_over" in left_over.do
    assert "account_tokens_key is missing" in dropped.says


async def test_partitions_that_were_not_made_are_found(patient, database):
    """First a row that found no day of its own, then no day for tomorrow."""
    await database.execute(
        "INSERT INTO events (id, user_id, type, subject, payload, created_at)"
        " VALUES ($1, $1, 'x', 'x', '{}', now() + interval '30 days')",
        uuid4(),
    )
    stray = await patient.only_ill("postgres.partitions", Level.WARNING)
    tomorrow = await database.fetchval("SELECT to_char((now() + interval '1 day') AT TIME ZONE 'UTC', 'YYYYMMDD')")
    await database.execute(f"DROP TABLE events_{tomorrow}")
    missing = await patient.only_ill("postgres.partitions", Level.WARNING)

    assert "default partition" in stray.says
    assert "tomorrow" in missing.says


async def test_a_key_ring_that_does_not_fit_is_found(patient, monkeypatch):
    """A key that rows use is missing, or is another under the same name; the right ring opens them."""
    ring = load_settings(patient.environ).token_keys
    monkeypatch.setattr("tests.seeds.CIPHER", TokenCipher(ring))
    async with await create_pool(patient.environ["DATABASE_URL"], application_name="test") as pool:
        await seed_tenant(pool)
    other = base64.b64encode(os.urandom(32)).decode()

    right = await patient.ills()
    patient.environ["TOKEN_KEYS"] = f"k2:{other}"
    lost = await patient.only_ill("postgres.keys")
    patient.environ["TOKEN_KEYS"] = f"k1:{other}"
    wrong = await patient.only_ill("postgres.keys")

    assert right == {}
    assert lost.says == "TOKEN_KEYS lacks the key 'k1', which 1 stored secret can be read by."
    assert "'k1' of TOKEN_KEYS does not open" in wrong.says


async def test_a_changed_pepper_is_found_where_there_is_a_key_to_try(patient):
    """With a key of a user in INSTADISTRO_API_KEY the pepper can be judged, and the key is not repeated."""
    user = await create_user(load_settings(patient.environ), email="alice@example.com", operator=False)
    patient.environ["INSTADISTRO_API_KEY"] = user.api_key

    right = await patient.ills()
    patient.environ["API_KEY_PEPPER"] = uuid4().hex
    changed = await patient.only_ill("postgres.api_key")
    patient.environ["INSTADISTRO_API_KEY"] = "ids_of_nobody"
    unknown = await patient.only_ill("postgres.api_key")

    assert right == {}
    assert "API_KEY_PEPPER is not the one" in changed.says
    assert user.api_key not in changed.says + changed.do
    assert "no key of this system" in unknown.says


async def test_jobs_that_nobody_sends_are_found(patient, database):
    """A job that is due for minutes: no scheduler relays it."""
    await database.execute(
        "INSERT INTO outbox (type, subject, routing_key, exchange, priority, payload, headers, due_at)"
        " VALUES ('x', 'x', 'now.health.x', 'jobs', 3, '{}', '{}', now() - interval '5 minutes')"
    )

    finding = await patient.only_ill("postgres.outbox")

    assert finding.says.startswith("1 job should have been sent, the oldest 30")
