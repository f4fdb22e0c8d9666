"""Limits: how often a client may ask, how much waits already, how long headers may be."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from services.api.http import ProblemError
from services.api.limits import outbox_age
from services.api.limits.outbox_age import OutboxAge
from services.api.limits.policy import Policy, policy
from services.api.limits.rate_limiter import LEASE_PART, RateLimiter
from services.api.limits.shared_buckets import SharedBuckets
from shared.cache import OPERATION_S
from shared.outbox import read_backlog
from tests.gates import PATIENCE_S
from tests.private_redis import Server
from tests.waiting import until
from tests.wishes import in_hours

# So slow that nothing flows back while a test runs.
KEY = Policy(name="key", per_s=0.001, burst=200)
TENANT = Policy(name="tenant", per_s=0.001, burst=300)


@asynccontextmanager
async def limiters(redis_url, count, policies=(KEY, TENANT), *, operation_s=PATIENCE_S):
    shared = [SharedBuckets(redis_url, operation_s=operation_s) for _ in range(count)]
    for one in shared:
        await one.greet()
    try:
        yield [RateLimiter(one, policies) for one in shared]
    finally:
        for one in shared:
            await one.close()


async def granted(limiter, key_id, user_id, *, tries, cost=1):
    verdicts = [await limiter.take(key_id, user_id, cost=cost) for _ in range(tries)]
    return sum(verdict.refused_by is None for verdict in verdicts)


async def test_processes_share_a_keys_units_and_seldom_ask_for_them(redis_url, monkeypatch):
    """All processes together give what one bucket holds, and most requests cost no round trip."""
    asked = 0
    take = SharedBuckets.take

    async def counted(self, *args, **more):
        nonlocal asked
        asked += 1
        return await take(self, *args, **more)

    monkeypatch.setattr(SharedBuckets, "take", counted)
    user = uuid4()
    async with limiters(redis_url, 2) as pair:
        given = await asyncio.gather(*(granted(limiter, "a", user, tries=300) for limiter in pair))

    assert KEY.burst * (1 - 2 * LEASE_PART) <= sum(given) <= KEY.burst
    assert asked < 80  # of 600


async def test_a_tenants_keys_share_its_units(redis_url):
    """Whoever has used up the key's units goes on with another key only as far as the tenant's reach."""
    user = uuid4()
    async with limiters(redis_url, 1) as [limiter]:
        first = await granted(limiter, "a", user, tries=250)
        second = await granted(limiter, "b", user, tries=250)
        stranger = await granted(limiter, "c", uuid4(), tries=50)
        refused = await limiter.take("b", user, cost=1)

    assert (first, second, stranger) == (200, 100, 50)
    assert refused.refused_by is TENANT
    assert refused.wait_s > 0
    assert re.fullmatch(r'"key";r=100;t=\d+, "tenant";r=0;t=\d+', refused.told)


async def test_a_costly_request_takes_more_and_one_that_is_refused_takes_nothing(redis_url):
    """A route's cost is taken as a whole; what is too dear now leaves the rest to cheaper requests."""
    user = uuid4()
    async with limiters(redis_url, 1) as [limiter]:
        dear = await granted(limiter, "a", user, tries=5, cost=60)
        some = await granted(limiter, "a", user, tries=5)
        refused = await limiter.take("a", user, cost=60)
        cheap = await granted(limiter, "a", user, tries=30)

    assert dear == 3
    assert refused.refused_by is KEY
    assert (some, cheap) == (5, 15)


async def test_a_costly_request_is_told_its_own_wait(redis_url):
    """Also while a cheaper one is refused without asking: its wait would be too short."""
    slow = Policy(name="key", per_s=0.1, burst=10)
    async with limiters(redis_url, 1, [slow]) as [limiter]:
        user = uuid4()
        await granted(limiter, "a", user, tries=10)
        cheap = await limiter.take("a", user, cost=1)
        dear = await limiter.take("a", user, cost=50)

    assert 0 < cheap.wait_s <= 10
    assert 90 < dear.wait_s <= 100


async def test_what_flows_back_is_given_again(redis_url):
    """An empty bucket fills at its rate, by the clock of Redis."""
    user = uuid4()
    fast = Policy(name="key", per_s=50.0, burst=2)
    async with limiters(redis_url, 1, [fast]) as [limiter]:
        await until(lambda: refused_once(limiter, user), what="an empty bucket")
        await until(lambda: granted(limiter, "a", user, tries=1), what="a unit that flowed back")


async def refused_once(limiter, user):
    return await granted(limiter, "a", user, tries=10) < 10


async def test_without_redis_each_process_gives_half_and_asks_nobody(tmp_path):
    """A Redis that hangs opens no door and holds nobody up: one probe at a time looks whether it is back."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("there is no redis-server")
    server, user = Server(binary, tmp_path), uuid4()
    await server.start()
    try:
        async with limiters(server.url, 1, operation_s=OPERATION_S) as [limiter]:
            server.hang()
            alone = await granted(limiter, "a", user, tries=200)
            dear = await limiter.take("b", uuid4(), cost=KEY.burst)  # more than there is without Redis
            server.wake()
            await until(lambda: told_by_redis(limiter), what="the limiter to find Redis again")
    finally:
        await server.kill()

    assert alone == KEY.burst // 2
    assert dear.told == '"key";r=0;t=200000, "tenant";r=50;t=250000'


async def told_by_redis(limiter):
    # Half of a bucket is all that a process gives alone.
    verdict = await limiter.take(f"probe-{uuid4()}", uuid4(), cost=1)
    return verdict.told.startswith(f'"key";r={KEY.burst - 1};')


async def test_no_limit_counts_nothing(redis_url):
    """A rate of 0 switches a policy off."""
    assert policy("key", 0) is None
    async with limiters(redis_url, 1, []) as [limiter]:
        assert await limiter.take("a", uuid4(), cost=1) == ("", None, 0.0)


async def test_a_client_is_told_how_it_stands_and_when_to_come_again(settings, run_gateway):
    """Every answer to a key has its policies and what is left; a refusal names the policy and the wait."""
    async with run_gateway(replace(settings, rate_limit_key_per_s=1)) as gateway:
        alice = await gateway.client("alice@example.com")
        first = await alice.get("/v1/me")
        answers = await asyncio.gather(*(alice.get("/v1/me") for _ in range(20)))
        refused = [answer for answer in answers if answer.status == 429]

    assert first.headers["RateLimit-Policy"] == '"key";q=2;w=2, "tenant";q=20000;w=2'
    assert re.fullmatch(r'"key";r=[01];t=[12], "tenant";r=\d+;t=\d+', first.headers["RateLimit"])
    assert refused
    assert refused[0].body["code"] == "rate_limited"
    assert refused[0].body["errors"][0]["code"] == "key_limit"
    assert refused[0].headers["RateLimit"].startswith('"key";r=0;t=2, ')
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 2


async def test_a_stranger_is_told_to_come_later(settings, run_gateway):
    """Tries without a good key run out, for whoever comes from that address."""
    async with run_gateway(replace(settings, rate_limit_address_per_s=1)) as gateway:
        stranger = replace(await gateway.client("alice@example.com"), api_key=f"ids_{'0' * 16}_{'A' * 43}")
        answers = [await stranger.get("/v1/me") for _ in range(20)]
        refused = [answer for answer in answers if answer.status == 429]

    assert {answer.status for answer in answers} == {401, 429}
    assert refused[0].headers["RateLimit-Policy"] == '"address";q=2;w=2'
    assert refused[0].body["errors"][0]["code"] == "address_limit"


async def wait_in_outbox(gateway, *, minutes):
    await gateway.rows(
        """
        INSERT INTO outbox (type, subject, exchange, routing_key, priority, payload, headers, due_at)
        VALUES ('health:check', $1, 'jobs', 'now', 2, '{}', '{}', now() - make_interval(mins => $2))
        """,
        str(uuid4()),
        minutes,
    )


async def test_nothing_is_accepted_for_an_outbox_that_is_not_sent(gateway, alice):
    """What fills the outbox is refused while its oldest row is overdue; what was accepted is answered again."""
    accounts = await alice.add_accounts(1)
    post = await alice.add_post()
    group = await alice.add_group(accounts)
    path, body = f"/v1/posts/{post}/publish", {"account_ids": accounts, "publish_at": in_hours(5)}
    repeated = {"Idempotency-Key": "once"}
    accepted = await alice.post(path, json=body, headers=repeated)
    await wait_in_outbox(gateway, minutes=6)
    gateway.deps.guards.outbox_age._known_until = 0.0  # noqa: SLF001 - as if five seconds had passed

    refused = await alice.post(path, json={**body, "allow_duplicate": True})
    again = await alice.post(path, json=body, headers=repeated)
    plan = {"post_id": post, "group_id": group, "window": {"from": in_hours(1), "to": in_hours(2)}}
    planned = await alice.post("/v1/distributions?dry_run=true", json=plan)

    assert (refused.status, refused.body["code"]) == (503, "backlog_too_old")
    assert int(refused.headers["Retry-After"]) > 0
    assert (again.status, again.body) == (accepted.status, accepted.body)
    assert planned.status == 200
    assert (await alice.get("/v1/posts")).status == 200


async def test_the_outboxs_age_is_read_seldom_and_when_unknown_stops_nothing(gateway, monkeypatch):
    """At most one read in five seconds, however many ask; a database that does not answer closes no door."""
    now, reads = 100.0, 0

    async def counted(connection):
        nonlocal reads
        reads += 1
        return await read_backlog(connection)

    async def away(_connection):
        raise ConnectionError

    monkeypatch.setattr(outbox_age, "read_backlog", counted)
    age = OutboxAge(gateway.deps.pool, most_s=300.0, clock=lambda: now)
    await wait_in_outbox(gateway, minutes=6)

    for now in (100.0, 104.9):  # noqa: B007 - the clock
        asked = await asyncio.gather(*(age.require_young() for _ in range(20)), return_exceptions=True)
        assert all(isinstance(problem, ProblemError) for problem in asked)
    assert reads == 1

    now = 105.0
    monkeypatch.setattr(outbox_age, "read_backlog", away)
    await age.require_young()
    await age.close()


HEAD = b"GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"X-Long: " + b"a" * 9_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(70)) + b"\r\n",
    ],
    ids=["a long header", "a long path", "many headers"],
)
async def test_headers_have_bounds(gateway, request_bytes):
    """What is too long is told as a problem, and not read to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    writer.write(request_bytes)

    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.0 431 ")
    assert b"application/problem+json" in answer
    assert b'"code":"headers_too_large"' in answer
