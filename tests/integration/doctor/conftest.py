"""A set-up in which all is well, for a test to break one thing of."""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import aio_pika
import pytest

from deploy.doctor import AREAS, Level, examine, read_setup
from services.api.app import create_app
from services.api.http.listener import listen
from services.api.service import open_deps
from shared.jobs import declare_topology
from shared.jobs.topology import WORK_QUEUES
from shared.settings import load_settings
from tests.emulators import emulating

ROOM = 10**11


class Patient:
    """A set-up, and how a doctor sees it."""

    def __init__(self, environ, broker):
        self.environ = environ
        self.broker = broker  # a connection to its virtual host

    async def examine(self, only=None, **changes):
        """All findings; `changes` are those of the set-up itself, such as another clock."""
        setup = replace(read_setup(self.environ), **{"free_bytes": lambda _: ROOM, **changes})
        areas = [area for area in AREAS if only in {None, area.name} or area.name == "settings"]
        return await examine(setup, areas)

    async def ills(self, only=None, **changes):
        """What is not well, by check; every skipped one must be so for one of these."""
        findings = await self.examine(only, **changes)
        ills = {each.check: each for each in findings if each.level in {Level.WARNING, Level.FAILED}}
        assert all(each.says.endswith(".") and each.do for each in ills.values())
        causes = {f"Not looked at, since {check} failed." for check in ills}
        skipped = {each.says for each in findings if each.level is Level.SKIPPED}
        assert {says for says in skipped if says.startswith("Not looked at")} <= causes
        return ills

    async def only_ill(self, check, level=Level.FAILED, **changes):
        """The one finding there must be; a sentence for what is, and one for what to do."""
        ills = await self.ills(**changes)
        assert list(ills) == [check], "\n".join(each.says for each in ills.values())
        assert ills[check].level is level
        return ills[check]


@asynccontextmanager
async def attended(amqp_url):
    """A virtual host with our topology, and somebody who consumes each queue of jobs."""
    async with await aio_pika.connect(amqp_url) as connection:
        await declare_topology(connection)
        channel = await connection.channel()
        for queue in WORK_QUEUES:
            await (await channel.get_queue(queue.name)).consume(_take)
        yield connection


async def _take(message):
    await message.ack()


@pytest.fixture
async def patient(servers, database_url, redis_url, amqp_url, tmp_path):
    """A set-up on real servers, with a gateway that runs, in which all is well."""
    media = tmp_path / "media"
    media.mkdir()
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(emulating())
        broker = await stack.enter_async_context(attended(amqp_url))
        environ = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "AMQP_URL": amqp_url,
            "AMQP_MANAGEMENT_URL": servers.management,
            "TOKEN_KEYS": f"k1:{base64.b64encode(os.urandom(32)).decode()}",
            "CURSOR_SECRET": secrets.token_hex(32),
            "API_KEY_PEPPER": secrets.token_hex(32),
            "INSTAGRAM_GRAPH_URL": emulator.url,
            "INSTAGRAM_APP_ID": "42",
            "INSTAGRAM_APP_SECRET": secrets.token_hex(16),
            "MEDIA_STORE": str(media),
        }
        deps = await stack.enter_async_context(open_deps(load_settings(environ)))
        port = await stack.enter_async_context(listen(create_app(deps), host="127.0.0.1", port=0, drain_s=1))
        yield Patient({**environ, "PUBLIC_URL": f"http://127.0.0.1:{port}"}, broker)
