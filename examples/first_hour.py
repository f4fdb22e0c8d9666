"""The first hour with the API, in Python: connect, import, group, distribute, watch, react to failures.

Against the system of `make up`, whose emulator stands in for Instagram:

    export INSTADISTRO_API_KEY=ids_...     # instadistro users create first-hour-in-python@example.com
    .venv/bin/python examples/first_hour.py
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl
from uuid import UUID

import aiohttp

from instadistro_client import ConflictError, EventStream, InstaDistro, InvalidRequestError
from instadistro_client.shapes import Account

URL = os.environ.get("INSTADISTRO_URL", "http://127.0.0.1:8080")
EMULATOR = os.environ.get("EMULATOR_URL", "http://127.0.0.1:8090")
EXAMPLES = Path(__file__).parent
PERMISSIONS = ["instagram_business_basic", "instagram_business_content_publish"]
DEADLINE_S = 60


async def main() -> None:
    """Do all of it, in order."""
    async with InstaDistro(URL, api_key=os.environ["INSTADISTRO_API_KEY"]) as api, asyncio.timeout(DEADLINE_S):
        me = await api.me()
        print(f"I am {me.email}")
        await connect(api, "demo_account_01")
        accounts = await import_accounts(api)
        group = await api.groups.create(name="First four", account_ids=[account.id for account in accounts])
        post_id = await write_post(api, group.id)
        await break_something(accounts)
        async with api.events(types=["publication.*"]) as events:
            distribution_id = await distribute(api, post_id, group.id)
            failed, held = await watch(events, distribution_id, count=len(accounts))
            while failed or held:
                await react(api, distribution_id, failed=failed, held=held)
                failed, held = await watch(events, distribution_id, count=len(failed) + len(held))
        distribution = await api.distributions.get(distribution_id)
        print(f"In the end: {distribution.counts}")


async def connect(api: InstaDistro, username: str) -> None:
    """Have an owner grant access. At Instagram a person opens `authorize_url` in a browser; the emulator is told so."""
    connecting = await api.accounts.connect()
    page, _, asked = connecting.authorize_url.partition("?")
    consent = [("username", username), ("decision", "allow"), *(("permission", name) for name in PERMISSIONS)]
    async with aiohttp.ClientSession() as browser, browser.post(page, data=[*parse_qsl(asked), *consent]) as answer:
        account = await answer.json()
    print(f"{account['username']} is connected: {account['state']}")


async def import_accounts(api: InstaDistro) -> list[Account]:
    """Import the examples, after a file with faults; returns the first four accounts."""
    try:
        await api.accounts.import_(b"username,instagram_user_id,access_token\nno spaces please,x,some-token\n")
    except InvalidRequestError as error:
        print(f"Refused: {error}")
    imported = await api.accounts.import_((EXAMPLES / "accounts.csv").read_bytes())
    print(f"{imported.created} accounts are new, {imported.updated} were changed")
    return (await api.accounts.list(sort="created_at").page(limit=4)).data


async def write_post(api: InstaDistro, group_id: UUID) -> UUID:
    """Upload a picture, write a post, and ask whether anything stands in its way."""
    picture = await api.media.upload(EXAMPLES / "picture.jpg")
    post = await api.posts.create(caption="Good morning", media_ids=[picture.id])
    validation = await api.posts.validate(post.id, group_id=group_id)
    print(f"The post may be published: {validation.valid}")
    return post.id


async def distribute(api: InstaDistro, post_id: UUID, group_id: UUID) -> UUID:
    """Look at the plan, then have exactly that plan carried out."""
    begin = datetime.now(UTC) + timedelta(seconds=1)
    end = begin + timedelta(seconds=5)
    spread = partial(api.distributions.create, post_id=post_id, group_id=group_id, begin=begin, end=end)
    plan = await spread(dry_run=True)
    for planned in plan.plan:
        print(f"  {planned.publish_at:%H:%M:%S.%f} {planned.account_id}")
    made = await spread(seed=plan.seed, plan_digest=plan.plan_digest)
    assert made.id is not None
    try:
        await spread()
    except ConflictError as error:
        print(f"The same once more: {error.code}")
    return made.id


async def watch(events: EventStream, distribution_id: UUID, *, count: int) -> tuple[list[str], list[str]]:
    """Follow a distribution until `count` publications stand still; returns the accounts of the failed and the held."""
    stopped: dict[str, list[str]] = {"publication.published": [], "publication.failed": [], "publication.held": []}
    async for event in events:
        if event.type in stopped and event.data["distribution_id"] == str(distribution_id):
            error = event.data["error"]
            print(f"{event.type}: {error['message'] if error else event.data['permalink']}")
            stopped[event.type].append(event.data["account_id"])
        if sum(map(len, stopped.values())) == count:
            break
    return stopped["publication.failed"], stopped["publication.held"]


async def react(api: InstaDistro, distribution_id: UUID, *, failed: list[str], held: list[str]) -> None:
    """Owners connect again, and what was held goes on by itself; what failed is tried again when it is mended."""
    for account_id in held:
        account = await api.accounts.get(account_id)
        print(f"{account.username} is {account.state}: {account.state_reason}")
        await connect(api, account.username)
    if failed:
        retried = await api.distributions.retry_failed(distribution_id)
        print(f"{retried.retried} is tried again")


async def break_something(accounts: list[Account]) -> None:
    """Let the emulator refuse the post on one account, and another one's token."""
    fault = {"endpoint": "create_container", "http_status": 400}
    refused = {"kind": "error", "code": 110, "subcode": 2207018, "ig_user_id": accounts[1].instagram_user_id}
    revoked = {"kind": "token_revoked", "ig_user_id": accounts[2].instagram_user_id}
    async with aiohttp.ClientSession() as http:
        for kind in (refused, revoked):
            await http.post(f"{EMULATOR}/_emulator/faults", json=fault | kind)


if __name__ == "__main__":
    asyncio.run(main())
