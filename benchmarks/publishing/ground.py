"""A whole system on the benchmark's servers, with accounts at the emulator and publications that fall due together."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import psutil

from benchmarks.processes import CHECKOUT, BenchmarkError
from benchmarks.servers import Servers, virtual_host
from deploy.local import BoundedFile, Instance, Log, System, free_ports
from deploy.local.account import server_account

_PICTURE = CHECKOUT / "examples" / "picture.jpg"
_BEGIN_IN_S = 5.0
_LOOK_EVERY_S = 0.1
_DEADLINE_S = 600.0
_CALL = aiohttp.ClientTimeout(total=120)
# Accounts as they are after their first publication.
_KNOWN = "UPDATE accounts SET state = 'ACTIVE' WHERE instagram_user_id = ANY($1) RETURNING id::text"
_LEFT = "SELECT count(*) FROM publications WHERE state IN ('scheduled', 'publishing')"
_SPAN = """
    SELECT count(*) FILTER (WHERE state = 'published') AS published,
           extract(epoch FROM max(published_at) - min(publish_at))::float8 AS seconds
    FROM publications
    WHERE post_id = $1
"""


@dataclass(frozen=True, kw_only=True)
class Burst:
    """What became of publications that fell due at one moment."""

    published: int
    seconds: float  # from that moment until the last one was live
    calls: float  # to the platform, of each
    publisher_cpu_s: float
    postgres_cpu_s: float


class Stage:
    """The running system and its one user."""

    def __init__(
        self, *, system: System, http: aiohttp.ClientSession, database: asyncpg.Connection, api_key: str
    ) -> None:
        self._system, self._http, self._database, self._api_key = system, http, database, api_key

    async def burst(self, count: int, *, latency_s: float) -> Burst:
        """Publish one picture on `count` accounts in the same second, over a platform that takes so long to answer."""
        await self._emulator("POST", "reset", json={"processing_s": 0.0, "latency_s": latency_s})
        group_id = await self._accounts(count)
        post_id = await self._post()
        publish_at = datetime.now(UTC) + timedelta(seconds=_BEGIN_IN_S)
        wish = {"group_id": group_id, "publish_at": publish_at.isoformat()}
        await self._api("POST", f"/v1/posts/{post_id}/publish", json=wish)
        calls, publisher, postgres = await self._calls(), self._publisher_s(), self._postgres_s()
        await self._ended()
        row = await self._database.fetchrow(_SPAN, UUID(post_id))
        if row is None or row["published"] != count:
            raise BenchmarkError(f"{row['published'] if row else 0} of {count} publications were published.")
        return Burst(
            published=count,
            seconds=row["seconds"],
            calls=(await self._calls() - calls) / count,
            publisher_cpu_s=self._publisher_s() - publisher,
            postgres_cpu_s=self._postgres_s() - postgres,
        )

    async def _ended(self) -> None:
        async with asyncio.timeout(_DEADLINE_S):
            while await self._database.fetchval(_LEFT):  # noqa: ASYNC110 - the other side is another process
                await asyncio.sleep(_LOOK_EVERY_S)

    async def _accounts(self, count: int) -> str:
        made = await self._emulator("POST", "accounts", json={"count": count})
        until = (datetime.now(UTC) + timedelta(days=59)).isoformat(timespec="seconds")
        lines = ["username,instagram_user_id,access_token,token_expires_at,tags"]
        lines += [f"{one['username']},{one['ig_user_id']},{one['access_token']},{until}," for one in made]
        headers = {"Content-Type": "text/csv"}
        await self._api("POST", "/v1/accounts/import", data="\n".join(lines).encode(), headers=headers)
        ids = await self._database.fetch(_KNOWN, [one["ig_user_id"] for one in made])
        body = {"name": uuid4().hex, "account_ids": [row["id"] for row in ids]}
        group: dict[str, str] = await self._api("POST", "/v1/groups", json=body)
        return group["id"]

    async def _post(self) -> str:
        form = aiohttp.FormData()
        form.add_field("file", await asyncio.to_thread(_PICTURE.read_bytes), filename="picture.jpg")
        media = await self._api("POST", "/v1/media", data=form)
        body = {"type": "image", "caption": uuid4().hex, "media_ids": [media["id"]]}
        post: dict[str, str] = await self._api("POST", "/v1/posts", json=body)
        return post["id"]

    async def _calls(self) -> int:
        calls: dict[str, int] = (await self._emulator("GET", ""))["calls"]
        return sum(calls.values())

    def _publisher_s(self) -> float:
        return _cpu_s(psutil.Process(self._system.pid("publisher")))

    def _postgres_s(self) -> float:
        backend = psutil.Process(self._database.get_server_pid())
        server = backend.parent() or backend
        return _cpu_s(server) + sum(_cpu_s(one) for one in server.children(recursive=True))

    async def _api(self, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._api_key}", **request.pop("headers", {})}
        return await self._call(method, f"http://127.0.0.1:{self._system.ports.api}{path}", headers=headers, **request)

    async def _emulator(self, method: str, path: str, **request: Any) -> Any:
        return await self._call(
            method, f"{self._system.environment['INSTAGRAM_GRAPH_URL']}/_emulator/{path}", **request
        )

    async def _call(self, method: str, url: str, **request: Any) -> Any:
        async with self._http.request(method, url, **request) as answer:
            if not answer.ok:
                raise BenchmarkError(f"{method} {url} answered {answer.status}: {(await answer.text())[:300]}")
            return await answer.json()


def _cpu_s(process: psutil.Process) -> float:
    """User and system seconds, those of ended children included."""
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.NoSuchProcess:  # a connection was just closed; the server counts it among its ended children
        return 0.0


@asynccontextmanager
async def stage(servers: Servers) -> AsyncIterator[Stage]:
    """The four services and the emulator on a virtual host of their own, while the context lasts."""
    async with AsyncExitStack() as stack:
        amqp = await stack.enter_async_context(virtual_host(servers))
        instance = Instance(directory=_place(stack) / "system", account=server_account())
        instance.create()
        servers_given = {"DATABASE_URL": servers.database, "REDIS_URL": servers.redis, "AMQP_URL": amqp}
        # Nothing but publishing: the checks of new accounts wait until tomorrow.
        given = {**servers_given, "LOG_LEVEL": "warning", "HEALTH_CHECK_EVERY_S": "86400"}
        log = Log(file=stack.enter_context(closing(BoundedFile(instance.logs / "system.log"))))
        ports = stack.enter_context(free_ports())
        system = await stack.enter_async_context(System(instance, ports, extra_environment=given, log=log))
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=_CALL))
        database = await asyncpg.connect(servers.database, command_timeout=60)
        stack.push_async_callback(database.close)
        yield Stage(system=system, http=http, database=database, api_key=await _make_user(system.environment))


def _place(stack: AsyncExitStack) -> Path:
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="instadistro-bench-")))
    place.chmod(0o711)  # the servers' account passes through it
    return place


async def _make_user(environment: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "deploy.cli.main", "users", "create", f"{uuid4().hex}@example.com", "--json"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(), _DEADLINE_S)
    return str(json.loads(said)["api_key"])
