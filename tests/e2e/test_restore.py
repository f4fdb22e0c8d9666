"""A system that lost everything goes on from its backup: what went live meanwhile is not published again."""

import asyncio
import os
import sys
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from deploy.local import BoundedFile, Log, Ports, System, free_ports
from tests.emulators import Emulator, emulating
from tests.receivers import Receiver, serving
from tests.users import make_user
from tests.waiting import until

_PICTURE = Path("examples/picture.jpg").read_bytes()
_SHORT = {
    "LEASE_S": "2",
    "LEASE_RENEW_S": "0.5",
    "RESCUE_SWEEP_S": "0.5",
    "PUBLISH_DEADLINE_S": "2",
    "WEBHOOK_PRIVATE_NETWORKS": "on",
    "LOG_FORMAT": "json",
}
_ACCOUNTS = 4
_COMMAND_S = 90
_SETTLED_S = 60.0


class Client:
    """One user of a system that may be another one tomorrow."""

    def __init__(self, http, url, key):
        self.http, self.url, self.key = http, url, key

    async def call(self, method, path, **request):
        headers = {"Authorization": f"Bearer {self.key}"}
        async with self.http.request(method, f"{self.url}{path}", headers=headers, **request) as answer:
            assert answer.ok, (method, path, await answer.text())
            return await answer.json() if answer.status != 204 else None

    async def post(self, media_id, *, type_="image"):
        """A new post; returns its id and its caption."""
        caption = "" if type_ == "story" else f"A post of its own {uuid4().hex}"
        body = {"type": type_, "caption": caption, "media_ids": [media_id]}
        return (await self.call("POST", "/v1/posts", json=body))["id"], caption

    async def publish(self, post_id, account_ids, *, in_s=0.0):
        body = {"account_ids": account_ids}
        if in_s:
            body["publish_at"] = (datetime.now(UTC) + timedelta(seconds=in_s)).isoformat()
        await self.call("POST", f"/v1/posts/{post_id}/publish", json=body)

    async def publications(self, post_id):
        return (await self.call("GET", f"/v1/publications?post_id={post_id}&limit=100"))["data"]

    async def states(self, post_id):
        return Counter((found["state"], found["reason"]) for found in await self.publications(post_id))

    async def becomes(self, post_id, **wanted):
        """Wait until the post's publications are in these states, whatever the reason."""

        async def are_there():
            return Counter(found["state"] for found in await self.publications(post_id)) == wanted

        await until(are_there, what=f"{wanted} of {post_id}", deadline_s=_SETTLED_S)

    async def are_free(self, post_id):
        """Whether the post's publications were looked up, and found absent: a person may move them again."""
        now = datetime.now(UTC)
        found = await self.publications(post_id)
        return all(datetime.fromisoformat(one["next_attempt_at"]) > now for one in found)

    async def bring_forward(self, post_id):
        """Move what waits to now, as a person does."""
        for found in await self.publications(post_id):
            body = {"publish_at": datetime.now(UTC).isoformat()}
            await self.call("PATCH", f"/v1/publications/{found['id']}", json=body)


@asynccontextmanager
async def running(instance, ports, environment):
    """The whole system but for the platform, which outlives it."""
    instance.create()
    with closing(BoundedFile(instance.logs / "system.log")) as file:
        async with System(
            instance, ports, extra_environment={**_SHORT, **environment}, log=Log(file=file), durable=False
        ) as system:
            yield system


async def command(*words, environment):
    """The console command, as an operator gives it; returns what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "deploy.cli.main", *words),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), _COMMAND_S)
    return process.returncode, said.decode()


@dataclass
class World:
    """A platform and a receiver of webhooks that outlive the system, and the one user of it."""

    platform: Emulator
    receiver: Receiver
    http: aiohttp.ClientSession
    ports: Ports
    accounts: list[str] = field(default_factory=list)
    media_id: str = ""
    client: Client | None = None

    async def furnish(self, environment):
        """A user with accounts, a picture and a webhook."""
        client = self.client = Client(self.http, f"http://127.0.0.1:{self.ports.api}", await make_user(environment))
        known = await self.platform.control("accounts", {"count": _ACCOUNTS})
        accounts = [
            {"username": one["username"], "instagram_user_id": one["ig_user_id"], "access_token": one["access_token"]}
            for one in known
        ]
        self.accounts = (await client.call("POST", "/v1/accounts/import", json=accounts))["accounts"]
        form = aiohttp.FormData()
        form.add_field("file", _PICTURE, filename="picture.jpg", content_type="image/jpeg")
        self.media_id = (await client.call("POST", "/v1/media", data=form))["id"]
        hook = {"url": self.receiver.url, "events": ["publication.published"]}
        await client.call("POST", "/v1/webhooks", json=hook)
        return client

    async def live(self, caption):
        """How many posts with this caption each account shows, without names."""
        async with self.http.get(f"{self.platform.url}/_emulator/media") as answer:
            posts = [one for one in await answer.json() if (one["caption"] or "") == caption]
        return sorted(Counter(one["ig_user_id"] for one in posts).values())


@asynccontextmanager
async def a_world():
    async with AsyncExitStack() as stack:
        yield World(
            platform=await stack.enter_async_context(emulating()),
            receiver=await stack.enter_async_context(serving(Receiver())),
            http=await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))),
            ports=stack.enter_context(free_ports()),
        )


@pytest.mark.timeout(300)
async def test_a_system_that_lost_everything_goes_on_without_loss_or_doubles(instance, tmp_path):
    """Servers, media and secrets are gone; keys, tokens, media and webhooks work again, and nothing is live twice."""
    backup = str(tmp_path / "backup")
    async with a_world() as world:
        environment = {"INSTAGRAM_GRAPH_URL": world.platform.url}
        private = {**world.ports.environment(), **environment, "INSTADISTRO_STATE": str(instance.directory)}
        async with running(instance, world.ports, environment) as system:
            client = await world.furnish(system.environment)
            posts = {
                name: await client.post(world.media_id, type_="story" if name == "story" else "image")
                for name in ("before", "meanwhile", "story", "stopped", "later", "unknown")
            }
            ids = {name: post_id for name, (post_id, _) in posts.items()}
            await client.publish(ids["before"], world.accounts)
            await client.becomes(ids["before"], published=_ACCOUNTS)
            for name in ("meanwhile", "later"):
                await client.publish(ids[name], world.accounts, in_s=3600)
            await client.publish(ids["story"], world.accounts[:1], in_s=3600)
            await client.publish(ids["stopped"], world.accounts[-1:], in_s=3600)

            kept = await command("backup", backup, "--with-secrets", environment=private)

            await client.call("POST", f"/v1/accounts/{world.accounts[-1]}/pause")
            for name in ("stopped", "meanwhile", "story"):
                await client.bring_forward(ids[name])
            await client.publish(ids["unknown"], world.accounts[:2])
            await client.becomes(ids["stopped"], held=1)
            await client.becomes(ids["meanwhile"], published=_ACCOUNTS - 1, held=1)
            await client.becomes(ids["story"], published=1)
            await client.becomes(ids["unknown"], published=2)
            refused = await command("restore", backup, environment=private)
        instance.wipe()
        told = len(world.receiver.requests)

        restored = await command("restore", backup, environment=private)
        async with running(instance, world.ports, environment):
            await client.becomes(ids["story"], outcome_unknown=1)
            await client.becomes(ids["stopped"], scheduled=1)
            await client.becomes(ids["meanwhile"], published=_ACCOUNTS - 1, scheduled=1)
            await client.becomes(ids["later"], scheduled=_ACCOUNTS)
            for name in ("stopped", "later"):
                await until(partial(client.are_free, ids[name]), what="the end of looking", deadline_s=_SETTLED_S)
                await client.bring_forward(ids[name])
            await client.becomes(ids["stopped"], published=1)
            await client.becomes(ids["later"], published=_ACCOUNTS)
            story = await client.states(ids["story"])
            # What was found, and what was published now, is told of.
            news = _ACCOUNTS - 1 + 1 + _ACCOUNTS
            await until(partial(world.receiver.got, told + news), what="webhooks that go on")
            live = {name: await world.live(caption) for name, (_, caption) in posts.items()}

    assert kept[0] == 0, kept
    assert refused[0] == 1
    assert "Others are connected to the database" in refused[1]
    assert restored[0] == 0, restored
    assert live == {
        "before": [1] * _ACCOUNTS,
        "meanwhile": [1] * (_ACCOUNTS - 1),
        "story": [1],
        "stopped": [1],
        "later": [1] * _ACCOUNTS,
        "unknown": [1, 1],
    }
    assert story == {("outcome_unknown", "restored"): 1}
