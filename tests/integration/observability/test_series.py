"""The series of a process do not grow with its tenants, and every label has one of the values that are documented."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from uuid_utils.compat import uuid7

from deploy.local import free_ports
from shared.database import create_pool
from shared.security import new_api_key
from tests.waiting import until

CHECKOUT = Path(__file__).parents[3]
PAGE = (CHECKOUT / "docs" / "metrics.md").read_text(encoding="utf-8")
OPENAPI = (CHECKOUT / "docs" / "openapi.json").read_text(encoding="utf-8")
PEPPER = "pepper of the tests"
FEW, MANY = 10, 200
# They come by and by, with the queues that were read and the jobs and statements that came along.
BY_AND_BY = tuple(f"instadistro_{name}" for name in ("queue_", "job", "recurring_", "db_query_"))
# What the first sweep of each kind shows.
SWEPT = {
    "scheduler": (
        "instadistro_accounts",
        "instadistro_accounts_by_quota_use",
        "instadistro_invariant_breaches",
        "instadistro_publications_open",
        "instadistro_database_size_bytes",
        "instadistro_redis_memory_used_bytes",
        "instadistro_dependency_up",
    ),
    "api": ("instadistro_dependency_up", "instadistro_event_loop_lag_seconds_sum"),
}
# One of each kind that a scheduler counts, for each tenant.
OWN = """
    WITH tenants AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given (user_id, account_id, post_id)),
    made_accounts AS (
        INSERT INTO accounts (id, user_id, instagram_user_id, username, state, token_expires_at, quota_total)
        SELECT account_id, user_id, abs(hashtext(account_id::text))::text, 'name', 'ACTIVE', now() + interval '2 d', 100
        FROM tenants
    ),
    made_posts AS (
        INSERT INTO posts (id, user_id, type, caption, media_ids)
        SELECT post_id, user_id, 'image', '', '{}' FROM tenants
    ),
    made_checks AS (
        INSERT INTO health_checks (account_id, user_id, next_check_at, quota_used, checked_at)
        SELECT account_id, user_id, now(), 60, now() FROM tenants
    ),
    made_scores AS (
        INSERT INTO health_scores (account_id, user_id, score, band, confidence, components, gates, reasons,
                                   formula_version, computed_at)
        SELECT account_id, user_id, 90, 'healthy', 1, '{}', '[]', '[]', 1, now() FROM tenants
    ),
    made_dead AS (
        INSERT INTO dead_jobs (id, type, subject, reason, attempt, payload, headers)
        SELECT gen_random_uuid(), 'health:check', account_id::text, 'exhausted', 5, '', '{}' FROM tenants
    )
    INSERT INTO publications (id, user_id, account_id, post_id, state, priority, publish_at, next_attempt_at, rescue_at,
                              max_attempts, max_lateness_s, published_at)
    SELECT gen_random_uuid(), user_id, account_id, post_id, state, 3, due_at, due_at, due_at + interval '1 minute', 3,
           60, CASE WHEN state = 'published' THEN now() END
    FROM tenants
    CROSS JOIN (VALUES ('scheduled', now() + interval '1 h'), ('scheduled', now() - interval '1 h'),
                       ('held', now() + interval '1 h'), ('published', now() - interval '1 s')) AS kinds (state, due_at)
"""


@pytest.fixture
def environment(database_url, redis_url, amqp_url, tmp_path):
    """What the services are told, on free ports."""
    with free_ports() as ports:
        yield {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "AMQP_URL": amqp_url,
            "TOKEN_KEYS": f"test:{base64.b64encode(bytes(32)).decode()}",
            "CURSOR_SECRET": "cursor secret of the tests",
            "API_KEY_PEPPER": PEPPER,
            "MEDIA_STORE": str(tmp_path / "media"),
            "PUBLIC_FETCH_TEST": "off",
            "API_PORT": str(ports.api),
            "API_INTERNAL_PORT": str(ports.api_internal),
            "SCHEDULER_INTERNAL_PORT": str(ports.scheduler_internal),
            "RATE_LIMIT_ADDRESS_PER_S": "10000",
        }


async def add_tenants(pool, count):
    """So many users, each with a key, an account, a post and some publications; gives keys and accounts."""
    ids = [(uuid7(), uuid7(), uuid7()) for _ in range(count)]
    keys = [new_api_key(PEPPER.encode()) for _ in ids]
    async with pool.acquire() as connection, connection.transaction():
        await connection.executemany(
            "INSERT INTO users (id, email) VALUES ($1, $2)",
            [(user_id, f"{user_id}@example.com") for user_id, *_ in ids],
        )
        await connection.executemany(
            "INSERT INTO api_keys (id, user_id, key_id, secret_hash, scopes) VALUES ($1, $2, $3, $4, $5)",
            [
                (uuid7(), user_id, key.key_id, key.secret_hash, ["read", "write"])
                for (user_id, *_), key in zip(ids, keys, strict=True)
            ],
        )
        await connection.execute(OWN, *(list(column) for column in zip(*ids, strict=True)))
    return [(key.text, account_id) for key, (_, account_id, _) in zip(keys, ids, strict=True)]


@asynccontextmanager
async def running(service, environment):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", f"services.{service}"), env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def scrape(http, port):
    """Our series as (name, labels); empty while the process does not answer."""
    try:
        async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            text = await answer.text()
    except aiohttp.ClientConnectionError:
        return set()
    families = text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in families
        for sample in family.samples
        if sample.name.startswith("instadistro_")
    }


def lasting(series):
    return {(name, labels) for name, labels in series if not name.startswith(BY_AND_BY)}


async def settled(http, port, service):
    """The series once every sweep was made and scrapes are alike."""
    seen: list[set[tuple[str, frozenset[tuple[str, str]]]]] = [set()] * 3

    async def done():
        seen.append(await scrape(http, port))
        await asyncio.sleep(0.3)
        return {name for name, _ in seen[-1]}.issuperset(SWEPT[service]) and lasting(seen[-1]) == lasting(seen[-4:][0])

    await until(done, what=f"the sweeps of the {service}", deadline_s=60)
    return seen[-1]


async def ask(http, base, tenant):
    """What a client asks of its own things, and of what is not there."""
    key, account_id = tenant
    headers = {"Authorization": f"Bearer {key}"}
    statuses = []
    for path in (
        "/v1/accounts",
        f"/v1/accounts/{account_id}",
        f"/v1/posts/{account_id}",
        f"/nothing/{account_id}",
    ):
        async with http.get(base + path, headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses == [200, 200, 404, 404]


async def measure(environment, tenants):
    """The series of fresh processes that have served these tenants."""
    api = f"http://127.0.0.1:{environment['API_PORT']}"
    async with (
        running("api", environment),
        running("scheduler", environment),
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http,
    ):

        async def answers():
            return await scrape(http, environment["API_INTERNAL_PORT"])

        await until(answers, what="the gateway", deadline_s=60)
        for start in range(0, len(tenants), 20):
            await asyncio.gather(*(ask(http, api, tenant) for tenant in tenants[start : start + 20]))
        ports = {"api": environment["API_INTERNAL_PORT"], "scheduler": environment["SCHEDULER_INTERNAL_PORT"]}
        series = await asyncio.gather(*(settled(http, port, service) for service, port in ports.items()))
        return dict(zip(ports, series, strict=True))


def documented():
    """The values of each metric's labels, by the reference and by the table of labels."""
    rows = re.findall(r"^\| `(instadistro_\w+)` \| \w+ \|([^|]*)\|[^|]*\|(.*)\|$", PAGE, re.MULTILINE)
    words = {name: set(re.findall(r"`([^`]+)`", meaning)) for name, _, meaning in rows}
    [table] = re.findall(r"^\| label \| values \|\n\|---\|---\|\n((?:\|.*\|\n)+)", PAGE, re.MULTILINE)
    labels: dict[str, set[str]] = {}
    for label, values in re.findall(r"^\| `(\w+)` \|(.*)\|$", table, re.MULTILINE):
        labels[label] = set(re.findall(r"`([^`]+)`", values))
    return words, labels


def is_documented(name, label, value, words, labels):
    metric = next(
        known
        for known in (name, re.sub(r"_(bucket|sum|count|created|total)$", "", name))
        if known in words or f"{known}_total" in words
    )
    named = words.get(metric, set()) | words.get(f"{metric}_total", set()) | labels.get(label, set())
    patterns = [re.escape(word).replace("<n>", r"[0-9.]+") for word in named]
    return any(re.fullmatch(pattern, value) for pattern in patterns)


async def test_series_do_not_grow_with_tenants_and_labels_are_closed_sets(environment):
    """Ten users or two hundred, with accounts, publications and requests: the same series, all of them documented."""
    async with await create_pool(environment["DATABASE_URL"], application_name="test") as pool:
        few = await measure(environment, await add_tenants(pool, FEW))
        many = await measure(environment, await add_tenants(pool, MANY))

    words, labels = documented()
    routes = set(re.findall(r'"(/[^"]*)":', OPENAPI))
    unknown = sorted(
        (name, label, value)
        for service in many.values()
        for name, pairs in service
        for label, value in pairs
        if not (label == "le" or (label == "route" and value in routes))
        and not is_documented(name, label, value, words, labels)
    )
    assert unknown == []
    for service, series in few.items():
        assert sorted(lasting(many[service]) - lasting(series), key=str) == []
        assert 300 < len(many[service]) < 1000, f"{service} has {len(many[service])} series"
