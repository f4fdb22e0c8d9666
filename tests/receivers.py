"""A receiver of webhooks on loopback, and a tenant with webhooks."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestServer
from uuid_utils.compat import uuid7

from services.scheduler.deliver_webhook import deliver_webhook
from services.scheduler.fan_out_events import fan_out_once
from shared.jobs import DeliverWebhook, JobType, Transient, new_job
from shared.outbox import Event, record_events
from shared.security import new_webhook_secret
from shared.webhooks import SECRET_COLUMN, NewDelivery, add_deliveries
from tests.seeds import CIPHER


@dataclass(kw_only=True)
class Receiver:
    """What it is to answer, and what it was sent."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hold: asyncio.Event | None = None  # no answer before it is set
    url: str = ""

    async def answer(self, request):
        self.requests.append((dict(request.headers), await request.read()))
        if self.hold is not None:
            await self.hold.wait()
        return web.Response(status=self.status, headers=self.headers)

    async def got(self, count):
        return len(self.requests) >= count

    @property
    def ids(self):
        return [headers["webhook-id"] for headers, _ in self.requests]


class Webhooks:
    """A tenant with webhooks, and the scheduler's hands."""

    def __init__(self, pool, courier, user_id):
        self.pool, self.courier, self.user_id = pool, courier, user_id

    async def add(self, url="https://example.com/", *, events=(), secret=None):
        webhook_id, secret = uuid7(), secret or new_webhook_secret()
        sealed = CIPHER.encrypt(secret, user_id=self.user_id, row_id=webhook_id, column=SECRET_COLUMN)
        await self.pool.execute(
            "INSERT INTO webhooks (id, user_id, url, events, key_id, sealed) VALUES ($1, $2, $3, $4, $5, $6)",
            webhook_id,
            self.user_id,
            url,
            list(events),
            sealed.key_id,
            sealed.ciphertext,
        )
        return webhook_id

    async def happen(self, *types, tx=None):
        events = [Event(user_id=self.user_id, type=one, subject=UUID(int=1), payload={"n": 1}) for one in types]
        if tx is not None:
            await record_events(tx, events)
        else:
            async with self.pool.acquire() as connection, connection.transaction():
                await record_events(connection, events)
        return [event.id for event in events]

    async def fan_out(self):
        """Until nothing is left."""
        while await fan_out_once(self.pool) is not None:
            pass

    async def add_delivery(self, webhook_id, *, body=b"{}"):
        new = NewDelivery(
            user_id=self.user_id, webhook_id=webhook_id, event_id=uuid7(), event_type="media.reachable", body=body
        )
        async with self.pool.acquire() as connection, connection.transaction():
            await add_deliveries(connection, [new])
        return new

    async def deliver(self, delivery_id):
        """One try, as the engine makes it; what it raised."""
        payload = DeliverWebhook(user_id=self.user_id, delivery_id=delivery_id)
        try:
            return await deliver_webhook(self.courier, new_job(JobType.WEBHOOK_DELIVER, payload), payload)
        except Transient as error:
            return error

    async def delivery(self, delivery_id):
        return await self.pool.fetchrow("SELECT * FROM webhook_deliveries WHERE id = $1", delivery_id)

    async def webhook(self, webhook_id):
        return await self.pool.fetchrow("SELECT * FROM webhooks WHERE id = $1", webhook_id)


@asynccontextmanager
async def serving(receiver, *, tls=None):
    """The receiver listens, over TLS if it is given a certificate."""
    application = web.Application()
    application.router.add_post("/{path:.*}", receiver.answer)
    server = TestServer(application, host="127.0.0.1", scheme="https" if tls else "http")
    await server.start_server(ssl=tls)
    try:
        receiver.url = str(server.make_url("/hook"))
        yield receiver
    finally:
        await server.close()
