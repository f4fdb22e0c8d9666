"""`/v1/events`: what happens, to whoever follows it, each once and in order."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import UUID

import aiohttp
import pytest

from services.api.events import feed, send_stream, subscription
from shared.outbox import Position, read_events
from tests.streams import happen, reading
from tests.waiting import until


def place_of(frame):
    """The place that a frame tells."""
    place = Position.parse(frame["id"])
    assert place is not None
    return place


async def test_what_happens_is_told_as_it_happens(gateway, alice, bob):
    """An event comes with its type, its id and its data; another tenant's does not."""
    async with reading(alice) as reader:
        opening = await reader.frame(heartbeats=True)
        await happen(gateway, bob, "publication.failed")
        [subject] = await happen(gateway, alice, "publication.failed", reason="quota")
        found = await reader.frame()

        headers = reader.response.headers
    assert opening["retry"] == "2000"
    assert Position.parse(opening["id"]) is not None
    assert found["event"] == "publication.failed"
    assert {"type", "id", "created_at"} < found["data"].keys()
    assert (found["data"]["subject"], found["data"]["data"]) == (subject, {"reason": "quota"})
    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["X-Accel-Buffering"] == "no"


async def test_a_stream_is_resumed_where_it_ended(gateway, alice):
    """Nothing is lost and nothing comes twice, whatever happened meanwhile; also where nothing had come before."""
    async with reading(alice) as reader:
        opening = await reader.frame(heartbeats=True)
    first = await happen(gateway, alice, "media.reachable")
    async with reading(alice, last=opening["id"]) as reader:
        found = await reader.frame()
    rest = await happen(gateway, alice, *["publication.published"] * 450)
    async with reading(alice, query=f"?last_event_id={found['id']}") as reader:
        missed = await reader.subjects(450)
        last = await happen(gateway, alice, "media.unreachable")
        live = await reader.subjects(1)

    assert [found["data"]["subject"]] == first
    assert missed == rest
    assert live == last


async def test_an_event_that_is_committed_late_is_not_passed_over(gateway, alice):
    """Its number was drawn before those that came first; it comes behind nothing that was told without it."""
    async with reading(alice) as reader, gateway.deps.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        late = await happen(gateway, alice, "media.reachable", connection=slow)
        early = await happen(gateway, alice, "media.unreachable")
        asked = asyncio.create_task(reader.subjects(2))
        done, _ = await asyncio.wait([asked], timeout=0.2)
        await transaction.commit()

        found = await asked
    assert not done
    assert found == late + early


async def test_transactions_are_numbers_and_not_texts(gateway, alice):
    """The hundredth comes after the ninth."""
    subjects = await happen(gateway, alice, "media.reachable", "media.unreachable", "publication.failed")
    for tx, subject in zip(("9", "99", "100"), subjects, strict=True):
        await gateway.rows("UPDATE events SET tx = $1::text::xid8 WHERE subject = $2", tx, subject)

    async with reading(alice, last=str(Position(tx=1, seq=0))) as reader:
        assert await reader.subjects(3) == subjects


async def test_streams_of_a_tenant_share_one_look(gateway, alice, monkeypatch):
    """However many follow, the table is asked once for what happened."""
    looks = []
    read = read_events

    async def counted(connection, **wish):
        batch = await read(connection, **wish)
        looks.append(len(batch.events))
        return batch

    monkeypatch.setattr(feed, "read_events", counted)
    async with reading(alice) as one, reading(alice) as two, reading(alice) as three:
        readers = [one, two, three]
        await until(lambda: _live(gateway, alice, 3), what="three live streams")
        subjects = await happen(gateway, alice, "publication.published", "publication.failed")
        found = [await reader.subjects(2) for reader in readers]

    assert found == [subjects] * 3
    assert sum(looks) == 2


async def _live(gateway, client, count):
    tenant = gateway.deps.events._tenants[UUID(client.user_id)]  # noqa: SLF001 - nobody outside is told
    return sum(one.live for one in tenant.subscriptions) == count


@pytest.mark.parametrize(
    ("types", "wanted"), [("media.reachable", 1), ("publication.*", 2), ("publication.failed,media.*", 2)]
)
async def test_a_client_says_which_events_it_wants(gateway, alice, types, wanted):
    """By type, or all of a kind."""
    async with reading(alice, query=f"?types={types}") as reader:
        happened = await happen(gateway, alice, "publication.published", "publication.failed", "media.reachable")
        found = await reader.subjects(wanted)

    assert set(found) < set(happened)


@pytest.mark.parametrize(
    ("query", "path"), [("?types=publication.gone", "types"), ("?last_event_id=7", "last_event_id")]
)
async def test_what_cannot_be_meant_is_refused(alice, query, path):
    """An event that does not exist would be waited for in vain."""
    answer = await alice.get(f"/v1/events{query}")

    assert answer.status == 422
    assert answer.body["errors"][0]["path"] == path


async def test_a_key_that_is_limited_sees_its_accounts_alone(gateway, alice):
    """By the account that an event is of, or about; what concerns the tenant is not shown."""
    [mine, other] = await alice.add_accounts(2)
    key = await alice.post("/v1/api-keys", json={"name": "one", "scopes": ["read"], "account_ids": [mine]})
    assert key.status == 201, key.body
    async with reading(alice, key=key.body["key"]) as reader:
        await happen(gateway, alice, "publication.failed", account_id=other)
        await happen(gateway, alice, "media.reachable")
        [subject] = await happen(gateway, alice, "publication.failed", account_id=mine)

        assert await reader.subjects(1) == [subject]


async def test_who_was_away_for_too_long_is_told_so(gateway, alice):
    """What it missed is no longer kept, so it must read anew; the stream goes on."""
    week_ago = Position(tx=3, seq=1, told_at=int(time.time()) - 7 * 86_400)
    async with reading(alice, last=str(week_ago)) as reader:
        found = await reader.frame()
        subjects = await happen(gateway, alice, "media.reachable")
        assert await reader.subjects(1) == subjects

    assert (found["event"], found["data"]["code"]) == ("reset", "position_too_old")


async def test_a_place_is_as_old_as_what_comes_after_it(gateway, alice, monkeypatch):
    """Who stops while catching up may come back in time, or is told: the place of an old event is not a new one."""
    monkeypatch.setattr(send_stream, "_HEARTBEAT_S", 0.05)
    await happen(gateway, alice, "media.reachable")
    await gateway.rows("UPDATE events SET created_at = now() - interval '3 days'")
    begun = int(time.time())
    async with reading(alice, last=str(Position(tx=1, seq=0))) as reader:
        old = place_of(await reader.frame())
        idle = place_of(await reader.frame(heartbeats=True))

    assert old.told_at == pytest.approx(begun - 3 * 86_400, abs=60)
    assert idle.told_at >= begun


async def test_a_place_ahead_of_everything_is_brought_back(gateway, alice):
    """After a restore a client may know a place that this server's transactions reach in years."""
    async with reading(alice, last=str(Position(tx=9_000_000_000_000, seq=1))) as reader:
        subjects = await happen(gateway, alice, "media.reachable")

        assert await reader.subjects(1) == subjects


async def test_a_burst_is_read_at_the_reader_s_own_pace(gateway, alice, monkeypatch):
    """More than may wait for it brings it back to the table, where nothing is lost."""
    monkeypatch.setattr(subscription, "_WAITING_MAX", 10)
    async with reading(alice) as reader:
        await until(lambda: _live(gateway, alice, 1), what="a live stream")
        subjects = await happen(gateway, alice, *["publication.published"] * 100)

        assert await reader.subjects(100) == subjects


async def test_who_does_not_read_is_dropped(gateway, alice, monkeypatch):
    """A stream that nobody reads holds no memory for long."""
    monkeypatch.setattr(send_stream, "_WRITE_DEADLINE_S", 0.1)
    monkeypatch.setattr(send_stream, "_FAREWELL_S", 0.1)
    async with reading(alice) as reader:
        reader.response.connection.transport.pause_reading()
        await happen(gateway, alice, *["publication.failed"] * 100, note="x" * 100_000)

        await until(lambda: _streams(gateway, 0), what="the stream is dropped")


async def _streams(gateway, count):
    return gateway.deps.events._streams == count  # noqa: SLF001 - nobody outside is told


async def test_an_idle_stream_shows_that_it_lives(gateway, alice, monkeypatch):
    """With the place to resume from, though nothing came that was wanted."""
    monkeypatch.setattr(send_stream, "_HEARTBEAT_S", 0.05)
    async with reading(alice, query="?types=media.*") as reader:
        opening = await reader.frame(heartbeats=True)
        await happen(gateway, alice, "publication.failed")

        async def moved():
            beat = await reader.frame(heartbeats=True)
            return place_of(beat) > place_of(opening)

        await until(moved, what="the place has moved on")


async def test_a_revoked_key_ends_its_streams(gateway, alice, monkeypatch):
    """It is asked again while the stream lasts, and the client is told."""
    monkeypatch.setattr(send_stream, "_CHECK_KEY_S", 0.05)
    async with reading(alice) as reader:
        await gateway.deps.pool.execute("UPDATE api_keys SET revoked_at = now()")
        gateway.deps.guards.authenticator.records.forget(alice.api_key.split("_")[1])
        found = await reader.frame()
        end = await reader.frame()

    assert (found["event"], found["data"]["code"]) == ("error", "unauthenticated")
    assert end == {}


async def test_streams_are_limited(alice, monkeypatch):
    """One tenant cannot take what others need, and a process not more than it can serve."""
    monkeypatch.setattr(feed, "_STREAMS_OF_TENANT_MAX", 1)
    async with reading(alice):
        of_tenant = await alice.get("/v1/events")
        monkeypatch.setattr(feed, "_STREAMS_MAX", 1)
        of_process = await alice.get("/v1/events")

    assert (of_tenant.status, of_tenant.body["code"]) == (429, "rate_limited")
    assert (of_process.status, of_process.body["code"]) == (503, "not_ready")


async def test_a_gateway_that_stops_waits_for_no_stream(settings, run_gateway):
    """Streams end at once, stuck ones too; their clients come back to another process."""
    async with AsyncExitStack() as clients:
        async with run_gateway(settings) as gateway:
            # A session of its own: that of the gateway's tests ends before the gateway does.
            http = await clients.enter_async_context(aiohttp.ClientSession())
            client = replace(await gateway.client("alice@example.com"), http=http)
            [_, stuck] = [await clients.enter_async_context(reading(client)) for _ in range(2)]
            stuck.response.connection.transport.pause_reading()
            await happen(gateway, client, *["publication.failed"] * 100, note="x" * 100_000)
            await until(lambda: _writing(gateway, client), what="a write that does not end")
            began = time.monotonic()
        stopped_s = time.monotonic() - began

    assert stopped_s < 4  # the drain of these tests has 5


async def _writing(gateway, client):
    tenant = gateway.deps.events._tenants[UUID(client.user_id)]  # noqa: SLF001 - nobody outside is told
    return any(one.writing is not None for one in tenant.subscriptions)
