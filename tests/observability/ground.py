"""The ground of the proof: the whole system with a Prometheus that asks every second, and a load to look at."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import psutil
from rich.console import Console

from deploy.cli.demo_run import Demo, run_demo
from deploy.local import BoundedFile, Instance, Log, Patience, System, free_ports
from deploy.local.account import server_account
from instadistro_client import InstaDistro
from instadistro_client.shapes import Publication
from tests.broker_control import BrokerControl
from tests.observability.asking import Prometheus
from tests.observability.shortened import write_shortened
from tests.users import make_user
from tests.waiting import until

EXAMPLES = Path(__file__).parents[2] / "examples"
_ACCOUNTS = 5
_TIMINGS = {
    "LEASE_S": "2",
    "LEASE_RENEW_S": "0.5",
    "RESCUE_SWEEP_S": "0.5",
    "PLATFORM_DEADLINE_S": "3",
    "PUBLISH_DEADLINE_S": "2",
    "HEALTH_CHECK_EVERY_S": "5",
    "LOG_FORMAT": "json",
}
# Its last due time was this New Year's, and nobody was there.
_COME_DUE = """
    UPDATE schedules
    SET next_at = date_trunc('year', now()), made_until = date_trunc('year', now()) - interval '1 day'
    WHERE id = $1
"""
_CALL = aiohttp.ClientTimeout(total=30)


@dataclass(kw_only=True)
class Ground:
    """The running system and what is asked of it."""

    system: System
    http: aiohttp.ClientSession
    prometheus: Prometheus
    database: asyncpg.Pool
    broker: BrokerControl
    api: InstaDistro
    api_key: str
    accounts_file: Path

    @property
    def emulator_url(self) -> str:
        return f"http://127.0.0.1:{self.system.ports.emulator}"

    async def emulator(self, method: str, path: str, **request: Any) -> Any:
        """A call of the emulator's control; its answer."""
        async with self.http.request(method, f"{self.emulator_url}/_emulator/{path}", **request) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()

    async def ask(self, path: str, *, headers: Mapping[str, str] | None = None) -> aiohttp.ClientResponse:
        """A read of the gateway, whatever it answers; the body is read."""
        headers = {"Authorization": f"Bearer {self.api_key}", **(headers or {})}
        async with self.http.get(f"http://127.0.0.1:{self.system.ports.api}{path}", headers=headers) as answer:
            await answer.read()
        return answer

    async def load(self) -> None:
        """Publish a post of each format to every account as the demo does, with a little of what else happens.

        One call of the platform fails and is tried again, a schedule comes due, the gateway answers 304 and 404 too.
        """
        await self.emulator("POST", "faults", json={"endpoint": "create_container", "kind": "http_500", "times": 1})
        plan = Demo(
            api=self.api,
            caption=f"A post to look at {uuid4().hex}",
            accounts_file=self.accounts_file,
            picture=EXAMPLES / "picture.jpg",
            reel=EXAMPLES / "reel.mp4",
        )
        ran = await run_demo(plan, Console(file=io.StringIO()))
        publication = ran.publications[0]
        await self._meet_schedule(publication)
        seen = await self.ask(f"/v1/posts/{publication.post_id}")
        known = await self.ask(f"/v1/posts/{publication.post_id}", headers={"If-None-Match": seen.headers["ETag"]})
        unknown = await self.ask(f"/v1/posts/{uuid4()}")
        assert (seen.status, known.status, unknown.status) == (200, 304, 404)

    async def _meet_schedule(self, like: Publication) -> None:
        schedule = await self.api.schedules.create(
            name="New Year",
            timezone="UTC",
            cron="0 0 1 1 *",
            account_id=like.account_id,
            post_id=like.post_id,
            max_lateness_s=None,
        )
        await self.database.execute(_COME_DUE, schedule.id)

    async def distribute(self, *, max_lateness_s: int | None = None) -> None:
        """One more picture to the accounts of the load, due at once."""
        group = await anext(aiter(self.api.groups.list()))
        picture = await self.api.media.upload(EXAMPLES / "picture.jpg")
        post = await self.api.posts.create(type_="image", caption=uuid4().hex, media_ids=[picture.id])
        begin = datetime.now(UTC) + timedelta(seconds=0.5)
        await self.api.distributions.create(
            post_id=post.id,
            group_id=group.id,
            begin=begin,
            end=begin + timedelta(seconds=1),
            max_lateness_s=max_lateness_s,
        )

    async def publishing(self) -> None:
        """Wait until a publication is worked on."""

        async def claimed() -> bool:
            return bool(await self.database.fetchval("SELECT count(*) FROM publications WHERE state = 'publishing'"))

        await until(claimed, what="a publication that is worked on")

    @asynccontextmanager
    async def frozen(self, part: str) -> AsyncIterator[None]:
        """A part that stands still for as long as the context lasts."""
        leader = psutil.Process(self.system.pid(part))
        processes = [leader, *leader.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    async def start_again(self, part: str) -> None:
        """Kill a part and wait until it is back."""
        back = self.system.expect(part, "ready")
        self.system.kill(part)
        await back


@asynccontextmanager
async def standing(place: Path) -> AsyncIterator[Ground]:
    """The system and its Prometheus, with the project's rules shortened.

    Args:
        place: a directory that the servers' account can enter.
    """
    accounts_file = place / "accounts.csv"
    lines = (EXAMPLES / "accounts.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    accounts_file.write_text("".join(lines[: 1 + _ACCOUNTS]), encoding="utf-8")
    instance = Instance(directory=place / "system", account=server_account())
    instance.create()
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(free_ports())
        file = stack.enter_context(closing(BoundedFile(instance.logs / "system.log")))
        system = System(
            instance,
            ports,
            extra_environment=_TIMINGS,
            emulator_accounts=accounts_file,
            log=Log(file=file),
            durable=False,
            # Faults are made here on purpose, and healed at once.
            patience=Patience(deaths_max=1_000, longest_delay_s=0.2),
            with_prometheus=True,
            scrape_every_s=1.0,
            prometheus_rules=write_shortened(place / "rules"),
        )
        await stack.enter_async_context(system)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=_CALL))
        api_key = await make_user(system.environment)
        yield Ground(
            system=system,
            http=http,
            prometheus=Prometheus(http, f"http://127.0.0.1:{ports.prometheus}"),
            database=await stack.enter_async_context(
                asyncpg.create_pool(system.environment["DATABASE_URL"], min_size=1, max_size=2, command_timeout=30)
            ),
            broker=BrokerControl(instance, epmd_port=ports.epmd),
            api=await stack.enter_async_context(InstaDistro(f"http://127.0.0.1:{ports.api}", api_key=api_key)),
            api_key=api_key,
            accounts_file=accounts_file,
        )
