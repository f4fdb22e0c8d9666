"""Streams of events, as tests read and fill them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from shared.outbox import Event, record_events


class Reader:
    """A client that reads a stream."""

    def __init__(self, response):
        self.response = response

    async def frame(self, *, heartbeats=False):
        """The next frame as a dict; `data` decoded. Empty at the end of the stream."""
        async with asyncio.timeout(20):
            while True:
                found = {}
                while (line := (await self.response.content.readline()).decode()) not in {"\n", ""}:
                    name, _, value = line.rstrip("\n").partition(":")
                    found[name] = value.strip()
                if not found or heartbeats or "data" in found:
                    break
        if "data" in found:
            found["data"] = msgspec.json.decode(found["data"])
        return found

    async def subjects(self, count):
        return [(await self.frame())["data"]["subject"] for _ in range(count)]


@asynccontextmanager
async def reading(client, *, query="", last=None, key=None):
    """A stream that has begun."""
    headers = {"Authorization": f"Bearer {key or client.api_key}"}
    if last is not None:
        headers["Last-Event-ID"] = last
    async with client.http.get(f"{client.url}/v1/events{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        yield Reader(response)


async def happen(gateway, client, *types, connection=None, **payload):
    """Events of a tenant; their subjects."""
    events = [
        Event(user_id=UUID(client.user_id), type=event_type, subject=uuid7(), payload=payload) for event_type in types
    ]
    if connection is not None:
        await record_events(connection, events)
    else:
        async with gateway.deps.pool.acquire() as own, own.transaction():
            await record_events(own, events)
        gateway.deps.events.wake(UUID(client.user_id))
    return [str(event.subject) for event in events]
