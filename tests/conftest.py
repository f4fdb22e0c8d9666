"""Real servers for tests: started once a session on ports and in directories of their own; a fresh place per test."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest
from redis.asyncio import Redis

from deploy.local import open_instance
from shared.database import migrate
from tests.databases import Databases, execute, in_database
from tests.private_servers import private_servers
from tests.seen_queries import SeenQueries

_CALL_DEADLINE_S = 30
_TEMPLATE = "template_migrated"


def pytest_configure(config):
    """Notice every statement of the product, from the first test on."""
    queries = SeenQueries()
    queries.watch()
    config.pluginmanager.register(queries)


@pytest.fixture(scope="session")
def enterable_directory():
    """A directory outside the checkout which the servers' account can enter when the tests run as root."""
    directory = Path(tempfile.mkdtemp(prefix="instadistro-tests-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def instance(enterable_directory):
    """A state directory for one test alone; nothing is created yet."""
    found = open_instance({"INSTADISTRO_STATE": str(enterable_directory / uuid4().hex)})
    yield found
    if found.is_ours:
        found.wipe()


@pytest.fixture(scope="session")
def servers(enterable_directory):
    """PostgreSQL, Redis and RabbitMQ for the whole session; they end with this process, however it ends."""
    with private_servers(enterable_directory / "servers") as found:
        yield found


@pytest.fixture(scope="session")
def _template(servers):
    """A migrated database that each test's own is cloned from."""
    _run(execute(servers.database, f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0"))
    _run(migrate(in_database(servers.database, _TEMPLATE), deadline_s=_CALL_DEADLINE_S))
    return _TEMPLATE


@pytest.fixture(scope="session")
def _databases(servers, _template):
    """Databases that are emptied and used again."""
    return Databases(servers.database, template=_template)


@pytest.fixture
async def database_url(_databases):
    """A database with every migration applied, for one test alone."""
    yield await _databases.lend()
    await _databases.take_back()


@pytest.fixture(scope="module")
def module_database_url(servers, _template):
    """A database with every migration applied, for the tests of one module."""
    name = f"test_{uuid4().hex}"
    _run(execute(servers.database, f"CREATE DATABASE {name} TEMPLATE {_template}"))
    yield in_database(servers.database, name)
    _run(execute(servers.database, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def empty_database_url(servers):
    """A database with nothing in it, for tests of the migrations themselves."""
    name = f"test_{uuid4().hex}"
    await execute(servers.database, f"CREATE DATABASE {name} TEMPLATE template0")
    yield in_database(servers.database, name)
    await execute(servers.database, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def redis_url(servers):
    """A Redis without any key, for one test alone."""
    async with Redis.from_url(servers.redis, socket_timeout=_CALL_DEADLINE_S) as client:
        await client.flushall()
        yield servers.redis
        await client.flushall()


@pytest.fixture
async def amqp_url(servers):
    """A virtual host of RabbitMQ with nothing in it, for one test alone."""
    name = f"test-{uuid4().hex}"
    parts = urlsplit(servers.management)
    base = f"http://{parts.hostname}:{parts.port}/api"
    login = {"Authorization": aiohttp.encode_basic_auth(parts.username or "", parts.password or "")}
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    timeout = aiohttp.ClientTimeout(total=_CALL_DEADLINE_S)
    async with aiohttp.ClientSession(headers=login, timeout=timeout, raise_for_status=True) as session:
        await session.put(f"{base}/vhosts/{name}")
        await session.put(f"{base}/permissions/{name}/{parts.username}", json=rights)
        yield servers.amqp.removesuffix("%2F") + name
        await session.delete(f"{base}/vhosts/{name}")


def _run(coroutine: Coroutine[None, None, object]) -> None:
    """Run a coroutine for a session fixture, outside the loops of the tests."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()
