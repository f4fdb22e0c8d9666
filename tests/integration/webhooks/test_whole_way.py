"""From a change in the API to a receiver and a stream, through the processes as they are put together."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import pytest

from deploy.cli.users import create_user
from services.api.service import serve as serve_api
from services.scheduler.service import serve as serve_scheduler
from shared.settings import load_settings
from tests.streams import Reader
from tests.waiting import until

_DEADLINE = aiohttp.ClientTimeout(total=60)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


@pytest.fixture
def settings(database_url, redis_url, amqp_url, tmp_path):
    ports = {name: free_port() for name in ("API_PORT", "API_INTERNAL_PORT", "SCHEDULER_INTERNAL_PORT")}
    return load_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "AMQP_URL": amqp_url,
            "TOKEN_KEYS": f"test:{base64.b64encode(bytes(32)).decode()}",
            "CURSOR_SECRET": "cursor secret of the tests",
            "API_KEY_PEPPER": "pepper of the tests",
            "MEDIA_STORE": str(tmp_path / "media"),
            "WEBHOOK_PRIVATE_NETWORKS": "on",
            **ports,
        }
    )


@asynccontextmanager
async def serving_all(settings):
    """The gateway and a scheduler."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_api(settings, stop))
        tasks.create_task(serve_scheduler(settings, stop))
        try:
            yield
        finally:
            stop.set()


async def test_what_is_done_in_the_api_reaches_receiver_and_stream(settings, receiver):
    """A paused account is told to both, as the same event; the log of deliveries shows it."""
    user = await create_user(settings, email="alice@example.com", operator=False)
    base = f"http://127.0.0.1:{settings.api_port}"
    headers = {"Authorization": f"Bearer {user.api_key}"}
    async with serving_all(settings), aiohttp.ClientSession(base, headers=headers, timeout=_DEADLINE) as http:
        await until(partial(_is_ready, http), what="a gateway")
        account = {"username": "one", "instagram_user_id": "17841400000000001", "access_token": "TOKEN-1-not-real"}
        account_id = (await _post(http, "/v1/accounts", account))["id"]
        webhook = await _post(http, "/v1/webhooks", {"url": receiver.url, "events": ["account.paused"]})
        async with http.get("/v1/events?types=account.paused") as response:
            await _post(http, f"/v1/accounts/{account_id}/pause")
            streamed = (await Reader(response).frame())["data"]
        await until(partial(receiver.got, 1), what="the receiver is called")

        async def delivered():
            async with http.get(f"/v1/webhooks/{webhook['id']}/deliveries?state=delivered") as response:
                return (await response.json())["data"]

        [delivery] = await until(delivered, what="the delivery is noted")

    [(sent, body)] = receiver.requests
    told = json.loads(body)
    assert (told["type"], told["subject"]) == ("account.paused", account_id)
    assert sent["webhook-id"] == told["id"] == streamed["id"] == delivery["event_id"]


async def _is_ready(http):
    try:
        async with http.get("/readyz") as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def _post(http, path, body=None):
    async with http.post(path, json=body) as response:
        assert response.status < 300, await response.text()
        return await response.json()
