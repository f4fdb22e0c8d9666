"""Migrations on a real database."""

import asyncio

import asyncpg
import pytest

from shared.database import MigrationError, migrate
from shared.database.migrate import load_migrations
from shared.errors import NotReadyError

ALL = [migration.name for migration in load_migrations()]


async def test_an_empty_database_gets_every_migration_and_a_second_run_does_nothing(empty_database_url):
    """Harmless to repeat."""
    first = await migrate(empty_database_url, deadline_s=30)
    second = await migrate(empty_database_url, deadline_s=30)

    assert (first, second) == (ALL, [])


async def test_replicas_that_start_together_apply_each_migration_once(empty_database_url):
    """One works, the others wait and find nothing left to do."""
    applied = await asyncio.gather(*(migrate(empty_database_url, deadline_s=30) for _ in range(4)))

    assert sorted(applied, key=len) == [[], [], [], ALL]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE schema_migrations SET digest = 'other'", "was changed after it was applied"),
        ("INSERT INTO schema_migrations VALUES ('9999_newer.sql', 'x')", "which this version does not know"),
    ],
)
async def test_a_database_of_other_files_is_refused(empty_database_url, change, said):
    """Neither an edited migration nor a newer schema is passed over."""
    await migrate(empty_database_url, deadline_s=30)
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(change)
    await connection.close()

    with pytest.raises(MigrationError, match=said):
        await migrate(empty_database_url, deadline_s=30)


async def test_a_server_that_never_answers_is_told_within_the_deadline():
    """The wait for a starting server has an end."""
    with pytest.raises(NotReadyError, match=r"did not finish within 0\.5 s"):
        await migrate("postgresql://nobody:nothing@127.0.0.1:9/none", deadline_s=0.5)
