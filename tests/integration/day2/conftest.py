"""The console command as an operator gives it, with the servers of the tests."""

import asyncio
import base64
import os
import sys
from pathlib import Path

import pytest

from shared.settings import load_settings

_COMMAND_S = 90


class Operator:
    """Gives commands."""

    def __init__(self, environment):
        self.environment = environment

    @property
    def settings(self):
        return load_settings(self.environment)

    @property
    def media(self):
        return Path(self.environment["MEDIA_STORE"])

    async def give(self, *words, **settings):
        """Exit status and all that it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "deploy.cli.main", *words),
            env={**os.environ, **self.environment, **settings},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), _COMMAND_S)
        return process.returncode, said.decode()


@pytest.fixture
def environment(redis_url, tmp_path):
    """Settings of a system, but for its database and its broker."""
    return {
        "REDIS_URL": redis_url,
        "TOKEN_KEYS": f"test:{base64.b64encode(b'k' * 32).decode()}",
        "CURSOR_SECRET": "c" * 64,
        "API_KEY_PEPPER": "p" * 64,
        "MEDIA_STORE": str(tmp_path / "media"),
        "LEASE_S": "1",
        "LEASE_RENEW_S": "0.2",
        "PUBLISH_DEADLINE_S": "0.5",
    }


@pytest.fixture
def operator_of(environment, amqp_url):
    """An operator of the system that has this database."""
    Path(environment["MEDIA_STORE"]).mkdir()
    return lambda url: Operator({**environment, "AMQP_URL": amqp_url, "DATABASE_URL": url})


@pytest.fixture
def operator(operator_of, database_url):
    """An operator of a system whose database is migrated."""
    return operator_of(database_url)
