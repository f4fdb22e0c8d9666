"""Proxies: made, changed, tried and removed by the accounts' owners; their credentials go in and never out."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.accounts import CREDENTIALS_COLUMN
from shared.security import SealedToken
from tests.forward_proxy import ForwardProxy

OFFICE = {"name": "Office", "scheme": "http", "host": "Proxy.Example.com", "port": 3128}
CREDENTIALS = {"username": "leaver", "password": "made:up"}


async def add(client, **fields):
    answer = await client.post("/v1/proxies", json=OFFICE | fields)
    assert answer.status == 201, answer.body
    return answer.body


async def opened(gateway, proxy):
    """The credentials as those read them who make calls."""
    [row] = await gateway.rows("SELECT user_id, key_id, sealed FROM proxies WHERE id = $1", UUID(proxy["id"]))
    if row["sealed"] is None:
        return None
    sealed = SealedToken(key_id=row["key_id"], ciphertext=row["sealed"])
    place = {"user_id": row["user_id"], "row_id": UUID(proxy["id"]), "column": CREDENTIALS_COLUMN}
    return gateway.deps.cipher.decrypt(sealed, **place)


async def test_credentials_go_in_and_never_out(gateway, alice):
    """They are sealed as those expect it who make calls, and stand in no answer, no audit line and no event."""
    proxy = await add(alice, credentials=CREDENTIALS)
    path = f"/v1/proxies/{proxy['id']}"
    kept = await opened(gateway, proxy)
    await alice.call("PATCH", path, json={"credentials": {"username": "other", "password": "word"}})
    changed = await opened(gateway, proxy)
    bare = await alice.call("PATCH", path, json={"credentials": None})

    assert (kept, changed, await opened(gateway, proxy)) == ("leaver:made:up", "other:word", None)
    assert (proxy["has_credentials"], bare.body["has_credentials"]) == (True, False)
    assert (proxy["host"], proxy["status"], proxy["latency_ms"]) == ("proxy.example.com", "unknown", None)
    told = [row["text"] for row in await gateway.rows(
        "SELECT coalesce(before::text, '') || coalesce(after::text, '') AS text FROM audit_log "
        "UNION ALL SELECT payload::text FROM events"
    )]  # fmt: skip
    assert len(told) == 6
    assert [text for text in told if "made:up" in text or "word" in text.replace("password", "")] == []


async def test_a_proxy_that_leads_elsewhere_is_unknown_until_it_is_looked_at(gateway, alice):
    """Another host, port, scheme or other credentials forget what was found; another name does not."""
    proxy = await add(alice)
    path = f"/v1/proxies/{proxy['id']}"

    async def after(change):
        await gateway.rows(
            "UPDATE proxies SET state = 'down', state_reason = 'dead', failures = 3, latency_ms = 5,"
            " checked_at = now(), next_check_at = now() + interval '1 hour'"
        )
        answer = await alice.call("PATCH", path, json=change)
        assert answer.status == 200, answer.body
        [row] = await gateway.rows("SELECT failures, next_check_at <= now() AS due FROM proxies")
        return answer.body["status"], answer.body["status_reason"], row["failures"], row["due"]

    assert await after({"name": "Home"}) == ("down", "dead", 3, False)
    for change in ({"host": "10.0.0.7"}, {"port": 3129}, {"scheme": "https"}, {"credentials": CREDENTIALS}):
        assert await after(change) == ("unknown", None, 0, True)


NO_HOSTS = (
    *("", "http://proxy", "proxy:3128", "a b", "-a.example", "[::1]", "proxy.", "a" * 64 + ".example"),
    *("127.0.0.1", "::1", "localhost", "a.localhost", "::ffff:127.0.0.1", "2130706433", "0x7f.1"),
    *("0.0.0.0", "169.254.169.254", "fe80::1", "224.0.0.1"),  # noqa: S104 - nothing is bound
)
UNFIT: tuple[tuple[dict[str, Any], str], ...] = (
    *(({"host": host}, "host") for host in NO_HOSTS),
    ({"port": 0}, "port"),
    ({"port": 65_536}, "port"),
    ({"scheme": "socks5"}, "scheme"),
    ({"name": " "}, "name"),
    ({"credentials": {"username": "a:b", "password": ""}}, "credentials.username"),
    ({"credentials": {"username": "a", "password": "b\r\nX: y"}}, "credentials.password"),
)


async def test_what_can_be_no_proxy_is_refused(alice):
    """With the path to what is wrong, be it a part that is none or an address at which no proxy stands."""
    refused = [(await alice.post("/v1/proxies", json=OFFICE | fields)) for fields, _ in UNFIT]

    told = [(answer.status, answer.body["errors"][0]["path"]) for answer in refused]
    assert told == [(422, path) for _, path in UNFIT]


async def test_proxies_of_private_networks_are_fit(alice, bob):
    """They are what operators have; the name is each tenant's own, once."""
    made = [await add(alice, name=host, host=host) for host in ("10.0.0.1", "fd00::1", "proxy", "squid_1.internal")]
    await add(bob, name="proxy")
    taken = await alice.post("/v1/proxies", json=OFFICE | {"name": "proxy"})
    renamed = await alice.call("PATCH", f"/v1/proxies/{made[0]['id']}", json={"name": "proxy"})

    for refused in (taken, renamed):
        assert (refused.status, refused.body["code"], refused.body["existing_id"]) == (409, "name_taken", made[2]["id"])
    assert [proxy["id"] for proxy in (await alice.get("/v1/proxies?sort=created_at")).body["data"]] == [
        proxy["id"] for proxy in made
    ]


async def test_a_proxy_in_use_stays(gateway, alice, bob):
    """An account never goes past its proxy, so it needs another first; one that was removed is no reason to keep it."""
    accounts = await alice.add_accounts(2)
    proxy = await add(alice)
    path = f"/v1/proxies/{proxy['id']}"
    await gateway.rows("UPDATE accounts SET proxy_id = $1", UUID(proxy["id"]))

    refused = await alice.call("DELETE", path)
    removed = [(await alice.call("DELETE", f"/v1/accounts/{account}")).status for account in accounts]
    foreign = await bob.call("DELETE", path)
    deleted = await alice.call("DELETE", path)

    assert (refused.status, refused.body["code"]) == (409, "in_use")
    assert removed == [200, 200]
    assert refused.body["detail"].startswith("2 account(s)")
    assert {fault["existing_id"] for fault in refused.body["errors"]} == set(accounts)
    assert (foreign.status, deleted.status, (await alice.get(path)).status) == (404, 204, 404)


@asynccontextmanager
async def on_this_machine(settings, run_gateway, **behaviour):
    """A platform, a way to it, and a gateway that knows both."""
    proxy = ForwardProxy(**behaviour)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with TestServer(web.Application()) as platform:
        near = replace(settings, instagram_graph_url=str(platform.make_url("")).rstrip("/"))
        async with run_gateway(near) as gateway:
            try:
                yield gateway, proxy, {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}
            finally:
                server.close()
                proxy.cut()
                await server.wait_closed()


async def test_a_test_goes_through_the_proxy_and_lets_go_what_it_held(settings, run_gateway):
    """It answers how long the way took; the proxy is up, and what waited for it is on its way."""
    credentials = (CREDENTIALS["username"], CREDENTIALS["password"])
    async with on_this_machine(settings, run_gateway, credentials=credentials) as (gateway, way, place):
        alice = await gateway.client("alice@example.com")
        [account], post = await alice.add_accounts(1), await alice.add_post()
        published = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": [account]})
        proxy = await add(alice, credentials=CREDENTIALS, **place)
        await gateway.rows("UPDATE accounts SET proxy_id = $1", UUID(proxy["id"]))
        await gateway.rows("UPDATE proxies SET state = 'down', failures = 2")
        await gateway.rows("UPDATE publications SET state = 'held', reason = 'egress_down'")

        tested = await alice.post(f"/v1/proxies/{proxy['id']}/test", headers={"Idempotency-Key": "once"})
        again = await alice.post(f"/v1/proxies/{proxy['id']}/test", headers={"Idempotency-Key": "once"})

        assert (tested.status, tested.body["status"], tested.body["reason"]) == (200, "up", None), tested.body
        assert tested.body["latency_ms"] >= 0
        assert again.body == tested.body
        assert [asked.method for asked in way.asked] == ["GET"]
        shown = (await alice.get(f"/v1/proxies/{proxy['id']}")).body
        assert (shown["status"], shown["latency_ms"]) == ("up", tested.body["latency_ms"])
        [publication] = published.body["publications"]
        assert (await alice.get(f"/v1/publications/{publication}")).body["state"] == "scheduled"
        actions = [row["action"] for row in await gateway.rows("SELECT action FROM audit_log")]
        assert actions.count("proxy.tested") == 1


async def test_a_test_says_why_the_way_is_closed(settings, run_gateway):
    """The second failure in a row makes the proxy down; no answer tells what stands behind its address."""
    async with on_this_machine(settings, run_gateway, credentials=("other", "word")) as (gateway, _, place):
        alice, bob = await gateway.client("alice@example.com"), await gateway.client("bob@example.com")
        proxy = await add(alice, credentials=CREDENTIALS, **place)
        path = f"/v1/proxies/{proxy['id']}"
        tested, seen = [], []
        for change in ({}, {}, {"port": 1}):
            if change:
                await alice.call("PATCH", path, json=change)
            tested.append((await alice.post(f"{path}/test")).body)
            seen.append([row["status"] for row in (await alice.get("/v1/proxies")).body["data"]])

        assert [one["status"] for one in tested] == ["down"] * 3
        assert [one["reason"] for one in tested] == [
            "The proxy does not accept the user name and password.",
            "The proxy does not accept the user name and password.",
            "The proxy cannot be reached: connection refused.",
        ]
        assert seen == [["unknown"], ["down"], ["unknown"]]
        assert (await bob.post(f"{path}/test")).status == 404


async def test_credentials_that_cannot_be_read_are_said_to_be(gateway, alice):
    """A key that has left the ring is a thing to be mended, not a crash, and nothing is written of the proxy."""
    proxy = await add(alice, credentials=CREDENTIALS)
    await gateway.rows("UPDATE proxies SET key_id = 'gone'")

    refused = await alice.post(f"/v1/proxies/{proxy['id']}/test")

    assert (refused.status, refused.body["code"]) == (409, "state_conflict")
    assert (await alice.get(f"/v1/proxies/{proxy['id']}")).body["checked_at"] is None
