"""What a pod waits for before its service starts."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import asyncpg
import pytest

from deploy.k8s.await_migrations import await_migrations
from shared.database import MigrationError, load_migrations, migrate
from shared.errors import NotReadyError

_DEADLINE_S = 60
_SOON_S = 0.05


async def _execute(url, statement):
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def test_it_waits_until_another_process_has_migrated(empty_database_url):
    """A pod on an empty database starts nothing, and goes on by itself once the Job is through."""
    said = []
    missing = asyncio.Event()

    def say(reason):
        said.append(reason)
        missing.set()

    waiting = asyncio.create_task(
        await_migrations(empty_database_url, deadline_s=_DEADLINE_S, every_s=_SOON_S, say=say)
    )
    await asyncio.wait_for(missing.wait(), _DEADLINE_S)
    begun = waiting.done()
    await migrate(empty_database_url, deadline_s=_DEADLINE_S)
    await asyncio.wait_for(waiting, _DEADLINE_S)

    assert not begun
    assert load_migrations()[0].name in said[0]


async def test_a_newer_database_keeps_no_pod_of_the_version_before(empty_database_url):
    """While an upgrade runs, a pod of the old version that is moved to another node starts again."""
    await migrate(empty_database_url, deadline_s=_DEADLINE_S)
    await _execute(empty_database_url, "INSERT INTO schema_migrations VALUES ('9999_newer.sql', 'x')")

    await await_migrations(empty_database_url, deadline_s=_DEADLINE_S)


async def test_a_migration_of_another_text_ends_the_wait(empty_database_url):
    """Waiting would not help, so it says at once what is wrong."""
    await migrate(empty_database_url, deadline_s=_DEADLINE_S)
    await _execute(empty_database_url, "UPDATE schema_migrations SET digest = 'other' WHERE name LIKE '0001%'")

    with pytest.raises(MigrationError, match=r"0001_\w+\.sql was applied with another text"):
        await await_migrations(empty_database_url, deadline_s=_DEADLINE_S)


async def test_a_server_that_is_away_is_waited_for_and_named():
    """The wait has an end, and the error says what it was for."""
    said: list[str] = []

    with pytest.raises(NotReadyError, match=r"Waiting for PostgreSQL: .* It did not happen within 0\.5 s"):
        await await_migrations(
            "postgresql://nobody:nothing@127.0.0.1:9/none", deadline_s=0.5, every_s=_SOON_S, say=said.append
        )

    assert len(said) == 1


async def test_the_command_says_so_and_ends_well(database_url):
    """As the manifests start it: with settings of the environment, exit status 0 on a migrated database."""
    settings = {
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "AMQP_URL": "amqp://127.0.0.1:9/",
        "TOKEN_KEYS": f"key1:{'A' * 43}=",
        "CURSOR_SECRET": "0" * 64,
        "API_KEY_PEPPER": "0" * 64,
    }

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.k8s.await_migrations"),
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    told, failure = await asyncio.wait_for(process.communicate(), _DEADLINE_S)

    assert process.returncode == 0, failure
    assert [json.loads(line)["event"] for line in (told + failure).splitlines()] == ["migrations.complete"]
