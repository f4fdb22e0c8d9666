"""Accounts that must leave through a proxy: they do, or they wait."""

import asyncio
import socket
import threading
from contextlib import asynccontextmanager

import pytest
from uuid_utils.compat import uuid7

from services.health.check_egress import Inspection, check_egress_once
from shared.instagram import Egress, EgressDownError, probe_egress
from tests.forward_proxy import ForwardProxy
from tests.seeds import CIPHER
from tests.trusted_tls import server_context

USERNAME, PASSWORD = "leaver", "made:up"  # a password may hold a colon


class Gateway:
    """The stage's account behind a proxy that can be stopped and started again on its port."""

    def __init__(self, stage):
        self.stage, self.pool = stage, stage.pool
        self.proxy = ForwardProxy(credentials=(USERNAME, PASSWORD))
        self.proxy_id, self.port, self.server = uuid7(), 0, None
        self.inspection = Inspection(
            pool=stage.pool,
            cipher=CIPHER,
            cache=stage.work.cache,
            graph_url=stage.emulator_url,
            rescue_after_s=60,
        )

    async def start(self):
        self.server = await asyncio.start_server(self.proxy.serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        if self.server is not None:
            self.server.close()
            self.proxy.cut()
            await self.server.wait_closed()
            self.server = None

    async def store(self):
        user_id = self.stage.tenant.user_id
        text = f"{USERNAME}:{PASSWORD}"
        sealed = CIPHER.encrypt(text, user_id=user_id, row_id=self.proxy_id, column="proxy_credentials")
        await self.pool.execute(
            "INSERT INTO proxies (id, user_id, name, scheme, host, port, key_id, sealed)"
            " VALUES ($1, $2, 'office', 'http', '127.0.0.1', $3, $4, $5)",
            *(self.proxy_id, user_id, self.port, sealed.key_id, sealed.ciphertext),
        )
        await self.pool.execute("UPDATE accounts SET proxy_id = $1", self.proxy_id)

    async def check(self, *, times=1):
        """As if each next look were due."""
        for _ in range(times):
            await self.pool.execute("UPDATE proxies SET next_check_at = now()")
            await check_egress_once(self.inspection)

    async def row(self):
        return await self.pool.fetchrow("""
            SELECT *, extract(epoch FROM next_check_at - now())::float8 AS next_in_s FROM proxies
        """)

    async def events(self):
        rows = await self.pool.fetch("SELECT type FROM events WHERE type LIKE 'proxy.%' ORDER BY created_at")
        return [row["type"] for row in rows]

    async def calls(self):
        """What reached the platform, whichever way."""
        async with self.stage.http.get(f"{self.stage.emulator_url}/_emulator/calls") as answer:
            return len(await answer.json())


@asynccontextmanager
async def behind_proxy(stage):
    gateway = Gateway(stage)
    await gateway.start()
    try:
        await gateway.store()
        yield gateway
    finally:
        await gateway.stop()


@pytest.fixture
async def gateway(stage):
    async with behind_proxy(stage) as gateway:
        yield gateway


async def test_every_call_of_the_account_leaves_through_its_proxy(gateway):
    """From the container to the link: the platform is reached by no other way."""
    await gateway.stage.run()

    assert (await gateway.stage.row())["state"] == "published"
    assert len(gateway.proxy.asked) == await gateway.calls() >= 3


async def test_a_dead_proxy_holds_its_accounts_publications(gateway):
    """Not one call goes past it, nothing fails, no attempt is lost; once it is back they are published."""
    await gateway.stop()
    await gateway.stage.run()
    first = await gateway.stage.row()
    await gateway.check(times=2)
    await gateway.stage.run_when_due()
    held = await gateway.stage.row()

    assert (first["state"], first["reason"], first["attempt"]) == ("scheduled", "egress_unreachable", 0)
    assert (held["state"], held["reason"], held["attempt"]) == ("held", "egress_down", 0)
    assert await gateway.calls() == 0

    await gateway.start()
    await gateway.check()
    released = await gateway.stage.row()
    await gateway.stage.run_when_due()

    assert (released["state"], (await gateway.stage.row())["state"]) == ("scheduled", "published")
    assert await gateway.pool.fetchval("SELECT count(*) FROM outbox WHERE type = 'post:publish'") == 1
    assert await gateway.events() == ["proxy.down", "proxy.up"]


async def test_what_was_held_while_the_proxy_came_up_is_found_by_the_next_look(gateway):
    """A process that dies between the two writes, or a hold that comes late, leaves nothing behind."""
    await gateway.check()
    await gateway.pool.execute("UPDATE publications SET state = 'held', reason = 'egress_down'")

    await gateway.check()

    assert (await gateway.stage.row())["state"] == "scheduled"


async def test_what_was_held_for_another_reason_goes_on_as_well_once_the_proxy_is_up(gateway):
    """The account was resumed while its proxy was down, and so nothing was released then."""
    await gateway.pool.execute("UPDATE publications SET state = 'held', reason = 'account_paused'")

    await gateway.check()

    assert (await gateway.stage.row())["state"] == "scheduled"


async def test_a_paused_account_is_not_released_by_its_proxy(gateway):
    """Every gate is asked, not the one that opened."""
    await gateway.pool.execute("UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE'")
    await gateway.pool.execute("UPDATE publications SET state = 'held', reason = 'egress_down'")

    await gateway.check()

    assert (await gateway.stage.row())["state"] == "held"


async def test_one_failure_is_no_death(gateway):
    """The second in a row is; then it is asked ever more rarely, and one success is enough."""
    await gateway.check()
    await gateway.stop()
    seen = []
    for _ in range(7):
        await gateway.check()
        row = await gateway.row()
        seen.append((row["state"], round(row["next_in_s"], -1)))
    await gateway.start()
    await gateway.check()

    assert seen[:3] == [("up", 10), ("down", 20), ("down", 40)]
    assert seen[-1] == ("down", 300)
    row = await gateway.row()
    assert (row["state"], row["state_reason"], row["failures"]) == ("up", None, 0)
    assert row["latency_ms"] >= 0
    assert row["next_in_s"] == pytest.approx(60, abs=10)


async def test_two_looks_at_once_are_one(gateway):
    """However many processes sweep, a proxy is asked once when it is due."""
    await asyncio.gather(*(check_egress_once(gateway.inspection) for _ in range(4)))

    assert len(gateway.proxy.asked) == 1


@pytest.mark.parametrize(
    ("change", "why", "deadline_s"),
    [
        ({"credentials": ("other", "word")}, "does not accept the user name", 10),
        ({"refuses_with": 502}, "does not reach the platform: it answers HTTP 502", 10),
        ({"silent": True}, "did not answer within 0.3 s", 0.3),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_look_says_why_the_way_is_closed(gateway, scheme, change, why, deadline_s):
    """In words for whoever looks after the proxy, and without its credentials."""
    for name, value in change.items():
        setattr(gateway.proxy, name, value)

    with pytest.raises(EgressDownError, match=why) as raised:
        await probe_egress(egress(gateway), graph_url=platform(gateway, scheme), deadline_s=deadline_s)

    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize(("scheme", "method"), [("http", "GET"), ("https", "CONNECT")])
async def test_a_look_goes_the_way_that_calls_go(gateway, scheme, method):
    """A tunnel where the platform speaks TLS, a request where it does not."""
    await probe_egress(egress(gateway), graph_url=platform(gateway, scheme), deadline_s=10)

    assert [asked.method for asked in gateway.proxy.asked] == [method]


async def test_a_look_does_not_wait_for_the_proxys_goodbye(tmp_path, monkeypatch):
    """An answer is an answer, also from a proxy that keeps its end of the line open."""
    serving, trusting = server_context(tmp_path)
    monkeypatch.setattr("ssl.create_default_context", lambda: trusting)
    over = threading.Event()

    def serve(listener):
        with serving.wrap_socket(listener.accept()[0], server_side=True) as line:
            line.recv(65536)
            line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            over.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = asyncio.create_task(asyncio.to_thread(serve, listener))
        way = Egress(scheme="https", host="127.0.0.1", port=listener.getsockname()[1])
        try:
            latency_ms = await probe_egress(way, graph_url="https://graph.test", deadline_s=5)
        finally:
            over.set()
            await proxy

    assert 0 <= latency_ms < 5000


def egress(gateway):
    return Egress(scheme="http", host="127.0.0.1", port=gateway.port, username=USERNAME, password=PASSWORD)


def platform(gateway, scheme):
    return gateway.stage.emulator_url.replace("http:", f"{scheme}:")
