"""The whole system as its users run it: processes of its own, with short timings, for all crash tests together."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest_asyncio

from deploy.local import BoundedFile, Instance, Log, Patience, System, free_ports
from deploy.local.account import server_account
from tests.users import make_user
from tests.waiting import until

ACCOUNTS = Path("examples/accounts.csv").absolute()
PICTURE = Path("examples/picture.jpg").absolute()
_TIMINGS = {
    "LEASE_S": "2",
    "LEASE_RENEW_S": "0.5",
    "RESCUE_SWEEP_S": "0.5",
    # Longer than a publisher needs to come back twice, or the rescue sends a second message for what killed it.
    "RESCUE_AFTER_S": "15",
    "PLATFORM_DEADLINE_S": "3",
    "PUBLISH_DEADLINE_S": "2",
    "HEALTH_CHECK_EVERY_S": "5",
    "LOG_FORMAT": "json",
}
SETTLED_DEADLINE_S = 60.0


@dataclass
class Live:
    """A running system with one user who owns 25 accounts, and what tests ask of it."""

    system: System
    http: aiohttp.ClientSession
    api_key: str
    emulator_url: str
    kill_points: Path
    account_ids: list[str] = field(default_factory=list)
    group_id: str = ""
    media_id: str = ""

    async def furnish(self):
        """Accounts, a group of all of them, and a picture."""
        headers = {"Content-Type": "text/csv"}
        imported = await self.call("POST", "/v1/accounts/import", data=ACCOUNTS.read_bytes(), headers=headers)
        self.account_ids = imported["accounts"]
        group = await self.call("POST", "/v1/groups", json={"name": "all", "account_ids": self.account_ids})
        form = aiohttp.FormData()
        form.add_field("file", PICTURE.read_bytes(), filename="picture.jpg", content_type="image/jpeg")
        media = await self.call("POST", "/v1/media", data=form)
        self.group_id, self.media_id = group["id"], media["id"]

    async def call(self, method, path, **request):
        headers = {"Authorization": f"Bearer {self.api_key}", **request.pop("headers", {})}
        async with self.http.request(method, f"{self.url}{path}", headers=headers, **request) as answer:
            assert answer.ok, (method, path, await answer.text())
            return await answer.json()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.system.ports.api}"

    async def distribute(self, *, seconds=2.0, items=1):
        """A new post to all accounts over a short window; returns its caption and the distribution's id."""
        caption = f"A post of its own {uuid4().hex}"
        post_type = "image" if items == 1 else "carousel"
        post = await self.call(
            "POST", "/v1/posts", json={"type": post_type, "caption": caption, "media_ids": [self.media_id] * items}
        )
        begin = datetime.now(UTC) + timedelta(seconds=0.5)
        window = {"from": begin.isoformat(), "to": (begin + timedelta(seconds=seconds)).isoformat()}
        made = await self.call(
            "POST", "/v1/distributions", json={"post_id": post["id"], "group_id": self.group_id, "window": window}
        )
        return caption, made["id"]

    def arm(self, point, *, subject=""):
        """The next process that passes this point dies there; or the next one that does so for this subject."""
        file = self.kill_points / point
        written = file.with_name("being written")
        written.write_text(subject)
        return written.replace(file)

    async def settled(self, distribution_id):
        """The publications once all of them stand still."""

        async def all_settled():
            page = await self.call("GET", f"/v1/publications?distribution_id={distribution_id}&limit=100")
            states = Counter(publication["state"] for publication in page["data"])
            return page["data"] if not states["scheduled"] + states["publishing"] else None

        return await until(all_settled, what="the end of every publication", deadline_s=SETTLED_DEADLINE_S)

    async def live_counts(self, caption):
        """How many posts with this caption each account shows at the emulator."""
        async with self.http.get(f"{self.emulator_url}/_emulator/media") as answer:
            posts = await answer.json()
        return Counter(post["ig_user_id"] for post in posts if post["caption"] == caption)

    async def proven(self, caption, distribution_id):
        """25 of 25 published, each live exactly once."""
        publications = await self.settled(distribution_id)
        counts = await self.live_counts(caption)
        states = Counter(publication["state"] for publication in publications)
        assert states == {"published": len(self.account_ids)}
        assert len(counts) == len(self.account_ids)
        assert set(counts.values()) == {1}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def live(tmp_path_factory, enterable_directory):
    """One running system for the session; it heals between tests, as it must."""
    kill_points = tmp_path_factory.mktemp("kill-points")
    instance = Instance(directory=enterable_directory / "system", account=server_account())
    instance.create()
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(free_ports())
        file = stack.enter_context(closing(BoundedFile(instance.logs / "system.log")))
        system = System(
            instance,
            ports,
            extra_environment={**_TIMINGS, "KILL_POINTS_DIR": str(kill_points)},
            emulator_accounts=ACCOUNTS,
            log=Log(file=file),
            durable=False,
            # These tests kill more often than a system in good health would stand, and want it back at once.
            patience=Patience(deaths_max=1_000, longest_delay_s=0.2),
        )
        await stack.enter_async_context(system)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)))
        live = Live(
            system=system,
            http=http,
            api_key=await make_user(system.environment),
            emulator_url=f"http://127.0.0.1:{ports.emulator}",
            kill_points=kill_points,
        )
        await live.furnish()
        yield live
