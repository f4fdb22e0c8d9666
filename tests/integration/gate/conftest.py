"""Two gates on one Redis, as two processes have them; and a Redis of the test's own."""

from __future__ import annotations

import shutil

import pytest

from tests.gates import PATIENCE_S, process_on
from tests.private_redis import Server


@pytest.fixture
async def one(redis_url):
    """A process."""
    async with process_on(redis_url, operation_s=PATIENCE_S) as process:
        yield process


@pytest.fixture
async def other(redis_url):
    """Another process, which shares nothing with the first but Redis."""
    async with process_on(redis_url, operation_s=PATIENCE_S) as process:
        yield process


@pytest.fixture
async def server(tmp_path):
    """A Redis to be killed and stopped."""
    binary = shutil.which("redis-server")
    assert binary, "install redis-server"
    server = Server(binary, tmp_path)
    await server.start()
    yield server
    await server.kill()
