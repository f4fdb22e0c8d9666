"""A mixed load at a steady pace on the large database: most read, some write, and nobody waits for another."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
from aiohttp import web

from benchmarks.api.ground import GatewayProcess, Tenant, add_keys, gateway_process
from benchmarks.bench import UNITS, Bench
from benchmarks.indexes import large_database
from benchmarks.processes import BenchmarkError
from benchmarks.rows import Row, percentile, row
from benchmarks.subjects import INSTADISTRO
from shared.database import Pool

_PER_S = 300
_FULL_S = 600.0
_SHORT_S = 30.0
# What the first requests meet is a cold process.
_WARM_SHARE = 0.1
_SEED = 6
_CALL = aiohttp.ClientTimeout(total=30)
# In each hundred requests.
_SHARES = {
    "accounts": 20,
    "accounts by state": 5,
    "account": 12,
    "swarm": 3,
    "publications": 10,
    "publications of an account": 8,
    "publication": 7,
    "posts": 5,
    "post": 5,
    "groups": 3,
    "distributions": 2,
    "add post": 5,
    "publish later": 4,
    "change account": 4,
    "change group": 4,
    "add group": 3,
}
_TENANTS = "SELECT user_id FROM accounts GROUP BY user_id ORDER BY count(*) DESC, user_id LIMIT 20"
_KNOWN = """
    SELECT (SELECT array_agg(id) FROM (SELECT id FROM accounts WHERE user_id = $1 AND state = 'ACTIVE'
                                       ORDER BY created_at LIMIT 200) AS chosen) AS accounts,
           (SELECT array_agg(id) FROM (SELECT id FROM posts WHERE user_id = $1 AND type = 'image'
                                       ORDER BY created_at LIMIT 200) AS chosen) AS posts,
           (SELECT array_agg(id) FROM (SELECT id FROM groups WHERE user_id = $1 ORDER BY created_at LIMIT 50) AS chosen)
               AS groups,
           (SELECT array_agg(id) FROM (SELECT id FROM publications WHERE user_id = $1
                                       ORDER BY created_at LIMIT 500) AS chosen) AS publications,
           (SELECT array_agg(id) FROM (SELECT id FROM media WHERE user_id = $1 AND kind = 'image'
                                       ORDER BY created_at LIMIT 50) AS chosen)
               AS media
"""
# What the large database says of its files is not enough to publish one.
_FIT = "UPDATE media SET width = 1080, height = 1080, bytes = 100000, facts = $2::jsonb WHERE user_id = ANY($1::uuid[])"
_FACTS = '{"color": "sRGB"}'


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What requests of one tenant are about."""

    tenant: Tenant
    accounts: Sequence[UUID]
    posts: Sequence[UUID]
    groups: Sequence[UUID]
    publications: Sequence[UUID]
    media: Sequence[UUID]


@dataclass(frozen=True, kw_only=True)
class _Wish:
    method: str
    path: str
    api_key: str
    body: Any = None


async def mixed(bench: Bench) -> list[Row]:
    """300 requests a second, 80 in 100 of them reads; the time of each counts from when it was due."""
    seconds = _FULL_S if bench.full else _SHORT_S
    async with large_database(bench) as pool, gateway_process(bench.servers) as gateway:
        tenants = [await _known(pool, tenant) for tenant in await _tenants(pool)]
        bench.report.begin("mixed", trials=1)
        load, before_s = _Load(gateway, wishes=_wishes(tenants)), gateway.processor_s()
        await load.run(seconds)
        cpu_ms = 1000 * (gateway.processor_s() - before_s) / load.sent
    rows = [
        row("mixed", INSTADISTRO, f"{kind}_p{percent}", UNITS["wait_p50"], [1000 * percentile(took, percent)])
        for kind, took in sorted(load.took_s.items())
        for percent in (50, 95, 99)
    ]
    memory = [("rss", load.resident_mib[-1]), ("rss_growth", load.resident_mib[-1] - load.resident_mib[0])]
    rows += [row("mixed", INSTADISTRO, metric, UNITS[metric], [value]) for metric, value in memory]
    rows.append(row("mixed", INSTADISTRO, "cpu_gateway", UNITS["cpu_gateway"], [cpu_ms]))
    counts = {"requests": load.sent, "refused": load.refused}
    rows += [row("mixed", INSTADISTRO, metric, UNITS["requests"], [count]) for metric, count in counts.items()]
    bench.report.tell(", ".join(f"{one.metric} {one.value:,.4g} {one.unit}" for one in rows))
    return rows


class _Load:
    """Sends at its pace, whether answers come or not."""

    def __init__(self, gateway: GatewayProcess, *, wishes: Iterator[_Wish]) -> None:
        self._gateway = gateway
        self._wishes = wishes
        self.took_s: dict[str, list[float]] = defaultdict(list)  # `get` and `post`, seconds each
        self.resident_mib: list[float] = []  # after the warm-up, and at the end
        self.sent = 0
        self.refused = 0  # for the time being: 503

    async def run(self, seconds: float) -> None:
        """Send for so long.

        Raises:
            BenchmarkError: a request was refused for good; the figures would be void.
        """
        try:
            await self._run(seconds)
        except* BenchmarkError as refusals:
            raise BenchmarkError(str(refusals.exceptions[0])) from refusals
        self.resident_mib.append(self._gateway.resident_mib())

    async def _run(self, seconds: float) -> None:
        began, total = time.perf_counter(), round(seconds * _PER_S)
        warm = round(total * _WARM_SHARE)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=_CALL, connector=connector) as http, asyncio.TaskGroup() as running:
            for number, wish in enumerate(itertools.islice(self._wishes, total)):
                due = began + number / _PER_S
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                running.create_task(self._send(http, wish, due=due, counts=number >= warm))
                if number == warm:
                    self.resident_mib.append(self._gateway.resident_mib())

    async def _send(self, http: aiohttp.ClientSession, wish: _Wish, *, due: float, counts: bool) -> None:
        headers = {"Authorization": f"Bearer {wish.api_key}"}
        url = self._gateway.origin + wish.path
        try:
            async with http.request(wish.method, url, headers=headers, json=wish.body) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BenchmarkError(f"{wish.method} {wish.path} had no answer: {type(error).__name__}.") from error
        self.sent += 1
        if answer.status == web.HTTPServiceUnavailable.status_code:
            self.refused += 1
            return
        if not answer.ok:
            raise BenchmarkError(f"{wish.method} {wish.path} answered {answer.status}: {content[:500].decode()}")
        if counts:
            self.took_s["get" if wish.method == "GET" else "post"].append(time.perf_counter() - due)


async def _tenants(pool: Pool) -> list[Tenant]:
    user_ids = [found["user_id"] for found in await pool.fetch(_TENANTS)]
    await pool.execute(_FIT, user_ids, _FACTS)
    return await add_keys(pool, user_ids)


async def _known(pool: Pool, tenant: Tenant) -> _Known:
    found = await pool.fetchrow(_KNOWN, tenant.user_id)
    if found is None or any(found[name] is None for name in ("accounts", "posts", "groups", "publications", "media")):
        raise BenchmarkError("The large database is too small for this load; use another --scale.")
    return _Known(tenant=tenant, **dict(found))


def _wishes(tenants: Sequence[_Known]) -> Iterator[_Wish]:
    chance = random.Random(_SEED)  # noqa: S311 - a load, no secret
    kinds, weights = list(_SHARES), list(_SHARES.values())
    for number in itertools.count():
        known = chance.choice(tenants)
        kind = chance.choices(kinds, weights)[0]
        method, path, body = _request(kind, known, chance, number)
        yield _Wish(method=method, path=path, api_key=known.tenant.api_key, body=body)


def _request(kind: str, known: _Known, chance: random.Random, number: int) -> tuple[str, str, Any]:
    account, post = chance.choice(known.accounts), chance.choice(known.posts)
    group, publication = chance.choice(known.groups), chance.choice(known.publications)
    reads = {
        "accounts": "/v1/accounts",
        "accounts by state": "/v1/accounts?state=PAUSED",
        "account": f"/v1/accounts/{account}",
        "swarm": "/v1/swarm/health",
        "publications": "/v1/publications?state=failed",
        "publications of an account": f"/v1/publications?account_id={account}",
        "publication": f"/v1/publications/{publication}",
        "posts": "/v1/posts?limit=20",
        "post": f"/v1/posts/{post}",
        "groups": "/v1/groups",
        "distributions": "/v1/distributions?limit=20",
    }
    if kind in reads:
        return "GET", reads[kind], None
    later = (datetime.now(UTC) + timedelta(days=chance.uniform(1, 300))).isoformat()
    writes: dict[str, tuple[str, str, Any]] = {
        "add post": (
            "POST",
            "/v1/posts",
            {"caption": f"Words {number}", "media_ids": [chance.choice(known.media).hex]},
        ),
        "publish later": (
            "POST",
            f"/v1/posts/{post}/publish",
            {"account_ids": [str(account)], "publish_at": later, "allow_duplicate": True},
        ),
        "change account": ("PATCH", f"/v1/accounts/{account}", {"tags": [f"tag{number % 50}"]}),
        "change group": ("PUT", f"/v1/groups/{group}/accounts/{account}", None),
        "add group": ("POST", "/v1/groups", {"name": f"bench {number}"}),
    }
    return writes[kind]
