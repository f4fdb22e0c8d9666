"""What the gateway leaves in Redis: nothing secret, and nothing of what changes while somebody looks."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis

from services.api.app import ROUTES
from shared.cache import CacheNamespace
from shared.cache.envelope import Envelope, unpack
from shared.cache.keys import ROOT_GENERATION

CACHED = set(CacheNamespace) - {CacheNamespace.SCHEDULE}
LIVE = {"attempt", "publish_at", "published_at", "permalink", "media_id", "publications", "counts"}
SECRET = {"access_token", "token", "sealed", "key_id", "api_key", "password", "secret", "url"}


@pytest.fixture
async def everything(gateway, alice):
    """A tenant with something to show on each route; the ids by what they stand for in a path."""
    accounts = await alice.add_accounts(2)
    group = await alice.add_group(accounts)
    credentials = {"username": "leaver", "password": "made-up-password"}
    place = {"name": "Office", "scheme": "http", "host": "proxy.example.com", "port": 3128}
    proxy = await alice.post("/v1/proxies", json=place | {"credentials": credentials})
    post = await alice.add_post()
    published = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})
    await gateway.rows(
        """
        INSERT INTO health_scores (account_id, user_id, score, band, confidence, components, gates, reasons,
                                   formula_version, computed_at)
        VALUES ($1, $2, 71, 'watch', 0.5, '{"A": 100}', '{}',
                '[{"code": "failed", "text": "first post failed", "advice": "look"}]', 1, now())
        """,
        UUID(accounts[0]),
        UUID(alice.user_id),
    )
    ids = {"accounts": accounts[0], "groups": group, "posts": post, "publications": published.body["publications"][0]}
    ids |= {"proxies": proxy.body["id"], "protocols": "cautious"}
    return ids | {"all publications": published.body["publications"], "all accounts": accounts}


async def read_every_route(client, ids):
    """Twice, so that what can be cached is cached, and served from there."""
    read = [route for route in ROUTES if route.method == "GET" and route.contract.answers_json and not route.public]
    paths = [route.path for route in read]
    for path in [*paths, *paths]:
        resource = path.split("/")[2]
        if "{id}" not in path or resource in ids:
            answer = await client.get(path.replace("{id}", ids.get(resource, "")))
            assert answer.status in {200, 404}, (path, answer.body)


async def everything_in_redis(url):
    async with Redis.from_url(url) as redis:
        return {name: await redis.get(name) async for name in redis.scan_iter()}


def field_names(value):
    """The names of all fields, however deep; some values are cached as they are sent."""
    if isinstance(value, str) and value.startswith("{"):
        return field_names(msgspec.json.decode(value))
    if isinstance(value, dict):
        return set(value).union(*map(field_names, value.values()))
    return set().union(*map(field_names, value)) if isinstance(value, list) else set()


async def test_nothing_secret_or_live_is_ever_cached(gateway, alice, everything, settings):
    """After every route was read, Redis holds no token, no key, no credential and nothing of a publication."""
    tokens = [f"TOKEN-{number}-not-real".encode() for number in (1, 2)]
    sealed = [bytes(row["sealed"]) for row in await gateway.rows("SELECT sealed FROM account_tokens")]
    hashes = [bytes(row["secret_hash"]) for row in await gateway.rows("SELECT secret_hash FROM api_keys")]
    sealed += [bytes(row["sealed"]) for row in await gateway.rows("SELECT sealed FROM proxies")]
    secrets = [
        b"made-up-password",
        settings.cursor_secret,
        settings.api_key_pepper,
        alice.api_key.split("_", 2)[2].encode(),
    ]
    live = [name.encode() for name in (everything["posts"], *everything["all publications"])]

    await read_every_route(alice, everything)
    held = await everything_in_redis(settings.redis_url)

    every_byte = b"\n".join([byte for pair in held.items() for byte in pair])
    assert everything["accounts"].encode() in every_byte
    assert [raw for raw in (*tokens, *sealed, *hashes, *secrets, *live) if raw in every_byte] == []


async def test_what_is_cached_has_only_fields_that_may_be(alice, everything, settings):
    """Account lists, health and swarm figures are cached, nothing else is, and no field of them is live or secret."""
    prefix = ROOT_GENERATION.rpartition("gen:root")[0]

    await read_every_route(alice, everything)
    held = await everything_in_redis(settings.redis_url)

    values = {name.decode().removeprefix(prefix): stored for name, stored in held.items()}
    cached = {name: stored for name, stored in values.items() if not name.startswith("gen:")}
    assert {name.split(":")[0].replace(".", ":") for name in cached} == CACHED
    fields = set().union(
        *(field_names(unpack(msgspec.msgpack.decode(stored[1:], type=Envelope).payload)) for stored in cached.values())
    )
    assert {"username", "score", "bands", "account_count", "has_credentials", "daily_caps"} <= fields
    assert fields & (LIVE | SECRET) == set()
