"""An operator at the command line, with a database that holds what jobs left."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from click.testing import CliRunner

from deploy.cli.main import cli
from shared.database import create_pool
from tests.dead_jobs import bury

DEADLINE_S = 60


class Operator:
    """Runs `instadistro jobs ...` against the test's own servers."""

    def __init__(self, pool, environment):
        self.pool, self.environment = pool, environment

    async def run(self, *arguments):
        """In this process; answers status, standard output and standard error."""
        run = partial(CliRunner(env=self.environment).invoke, cli, ["jobs", *arguments])
        result = await asyncio.to_thread(run)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    async def start(self, *arguments, stdin=asyncio.subprocess.DEVNULL, **environment):
        """As `run`, in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "deploy.cli.main", "jobs", *arguments),
            env={"PATH": os.environ["PATH"], **self.environment, **environment},
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(DEADLINE_S):
            said, complained = await process.communicate()
        return process.returncode, said.decode(), complained.decode()

    async def json(self, *arguments):
        status, said, complained = await self.run(*arguments, "--json")
        assert complained == ""
        return status, json.loads(said)

    async def bury(self, *, hours=0, **what):
        """A dead job that died so many hours ago; answers its id."""
        [dead_id] = await bury(
            self.pool,
            died_at=datetime.now(UTC) - timedelta(hours=hours),
            error="the platform\x1b[31m said no",
            failures=[{"attempt": 1, "at": "2026-01-31T12:00:00Z", "error": "said no"}],
            **what,
        )
        return str(dead_id)

    async def dead(self):
        return {str(row["id"]) for row in await self.pool.fetch("SELECT id FROM dead_jobs")}

    async def waiting(self):
        return {row["subject"] for row in await self.pool.fetch("SELECT subject FROM outbox")}


@pytest.fixture
async def operator(database_url):
    """An operator with a database of their own, and a broker that is away."""
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "AMQP_URL": "amqp://127.0.0.1:1/",
        "TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "CURSOR_SECRET": "0123456789abcdef",
        "API_KEY_PEPPER": "0123456789abcdef",
    }
    async with await create_pool(database_url, application_name="test") as pool:
        yield Operator(pool, environment)
