"""Announcements of events, which wake streams and renew what is cached."""

from __future__ import annotations

from contextlib import asynccontextmanager
from uuid import UUID

from services.api.events import feed
from services.api.events.listen import listen_to_events
from shared.jobs import Sender
from shared.outbox import Event, drain_once, record_events
from tests.streams import reading
from tests.waiting import until


async def test_an_announcement_wakes_streams_and_renews_what_is_cached(gateway, alice, amqp_url, monkeypatch):
    """A writer that died after its commit leaves no stale value: its event, once it is announced, voids it."""
    monkeypatch.setattr(feed, "_POLL_ANNOUNCED_S", 600.0)
    deps, user_id = gateway.deps, UUID(alice.user_id)
    [account_id] = await alice.add_accounts(1)
    await alice.get("/v1/accounts")
    async with (
        listening(deps, amqp_url) as sender,
        reading(alice, query="?types=account.paused") as reader,
        deps.pool.acquire() as writer,
    ):
        async with writer.transaction():
            await writer.execute("UPDATE accounts SET username = 'renamed'")
            paused = Event(user_id=user_id, type="account.paused", subject=UUID(account_id), payload={})
            await record_events(writer, [paused])
        stale = await alice.get("/v1/accounts")
        await drain_once(deps.pool, sender.send_rows, batch=500)

        assert await reader.subjects(1) == [account_id]
        assert stale.body["data"][0]["username"] == "account_1"
        await until(lambda: _is_named(alice, "renamed"), what="the cached list is renewed")


@asynccontextmanager
async def listening(deps, amqp_url):
    """The gateway listens to the broker; gives what sends to it."""
    sender = Sender((amqp_url,), name="test-sender")
    try:
        async with listen_to_events((amqp_url,), feed=deps.events, cache=deps.cache):

            async def announced():
                return deps.events.announced

            await until(announced, what="a listener")
            yield sender
    finally:
        await sender.close()


async def _is_named(client, username):
    page = await client.get("/v1/accounts")
    return page.body["data"][0]["username"] == username


async def test_without_a_broker_streams_look_by_themselves(gateway, alice, monkeypatch):
    """An event comes within a poll, though nobody announces it."""
    monkeypatch.setattr(feed, "_POLL_UNANNOUNCED_S", 0.05)
    event = Event(user_id=UUID(alice.user_id), type="media.reachable", subject=UUID(int=7), payload={})
    deps = gateway.deps
    async with (
        listen_to_events(("amqp://127.0.0.1:1/",), feed=deps.events, cache=deps.cache),
        reading(alice) as reader,
        deps.pool.acquire() as writer,
    ):
        async with writer.transaction():
            await record_events(writer, [event])

        assert await reader.subjects(1) == [str(UUID(int=7))]
