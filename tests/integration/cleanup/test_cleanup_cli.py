"""`instadistro cleanup`, as an operator runs it."""

import asyncio
import json
from functools import partial

import pytest
from click.testing import CliRunner

from deploy.cli.main import cli


@pytest.fixture
def run(database_url):
    """Run the command with the test's own database; answers status and what it said."""
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "AMQP_URL": "amqp://127.0.0.1:1/",
        "TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "CURSOR_SECRET": "0123456789abcdef",
        "API_KEY_PEPPER": "0123456789abcdef",
        "ARCHIVE_AFTER_DAYS": "60",
        "ARCHIVE_KEEP_DAYS": "0",
    }

    async def run(*arguments):
        result = await asyncio.to_thread(partial(CliRunner(env=environment).invoke, cli, ["cleanup", *arguments]))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout

    return run


async def test_a_dry_run_tells_what_would_go_and_leaves_it(store, run):
    """By table, with how long each is kept."""
    await store.end("published", days=70)

    status, text = await run("--dry-run")
    _, told = await run("--dry-run", "--json")

    [publications] = [one for one in json.loads(told) if one["table"] == "publications"]
    lines = [line.split() for line in text.splitlines()]
    assert status == 0
    assert publications == {
        "table": "publications",
        "kept_days": 60,
        "fate": "archived",
        "rows": 1,
        "rows_are_exact": True,
    }
    assert ["publications", "60", "1", "to", "the", "archive"] in lines
    assert ["publications_archive", "for", "ever", "0"] in lines
    assert len(await store.ids("publications")) == 1


async def test_a_run_tells_what_went(store, run):
    """And does it."""
    await store.end("published", days=70)

    status, told = await run("--json")
    again, text = await run()

    [publications] = [one for one in json.loads(told) if one["table"] == "publications"]
    assert (status, again) == (0, 0)
    assert (publications["rows"], publications["failure"]) == (1, None)
    assert "events" in text
    assert await store.ids("publications") == set()


async def test_what_fails_is_told_with_the_rest_done(store, run):
    """The exit status says so."""
    await store.end("published", days=70)

    async with store.pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE dead_jobs")
        status, text = await run()

    assert status == 1
    assert "failed: canceling statement due to lock timeout" in text
    assert await store.ids("publications") == set()
