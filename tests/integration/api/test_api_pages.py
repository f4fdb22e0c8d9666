"""Every list of the API: pages both ways, by header and by body, for whom they were made and for nobody else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.api.app import ROUTES
from services.api.http import PageQuery

COUNT = 3
LISTS = [
    "/v1/accounts",
    "/v1/accounts/{account}/publications",
    "/v1/alerts",
    "/v1/api-keys",
    "/v1/audit-log",
    "/v1/distributions",
    "/v1/groups",
    "/v1/groups/{group}/accounts",
    "/v1/media",
    "/v1/operations",
    "/v1/post-queues",
    "/v1/posts",
    "/v1/proxies",
    "/v1/publications",
    "/v1/schedules",
    "/v1/schedules/{schedule}/occurrences",
    "/v1/webhooks",
    "/v1/webhooks/{webhook}/deliveries",
]
# Walked in their own tests: those for operators, and those that the health service fills.
ELSEWHERE = {
    "/v1/accounts/{id}/analytics",
    "/v1/accounts/{id}/health/history",
    "/v1/jobs/dead",
    "/v1/jobs/recurring",
}
_OPERATION = (
    "INSERT INTO operations (id, user_id, type, state) VALUES (gen_random_uuid(), $1, 'import:accounts', 'failed')"
)
_DELIVERY = """
    INSERT INTO webhook_deliveries (id, user_id, webhook_id, event_id, event_type, payload)
    VALUES (gen_random_uuid(), $1, $2, gen_random_uuid(), 'post.created', '')
"""
_OCCURRENCE = """
    INSERT INTO schedule_occurrences (id, user_id, schedule_id, local_date, slot, due_at, state)
    VALUES (gen_random_uuid(), $1, $2, date '2026-01-01' + $3::integer, '09:30', now(), 'distributed')
"""
_ALERT = """
    INSERT INTO alerts (id, user_id, code, severity, subject_type, subject_id, text, advice, opened_at)
    VALUES (gen_random_uuid(), $1, 'outcome_unknown', 'warning', 'account', gen_random_uuid(), 'Wrong.', 'Look.',
            now() + $2::integer * interval '1 second')
"""
LIMITS = [("0", 1), ("-5", 1), ("2", 2), ("101", 100), ("9" * 4000, 100)]


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A tenant with three rows in each list, and its lists by their addresses."""

    client: Any
    lists: list[str]


@pytest.fixture
async def filled(gateway, alice):
    """Alice with three rows in each list, or more."""
    accounts = await alice.add_accounts(COUNT)
    begin = datetime.now(UTC) + timedelta(hours=1)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(hours=1)).isoformat()}
    for number, account in enumerate(accounts):
        group = await alice.add_group([account], name=f"group {number}")
        wish = {"post_id": await alice.add_post(), "group_id": group, "window": window}
        answer = await alice.post("/v1/distributions", json=wish)
        assert answer.status == 202, answer.body
        post = {"account_ids": accounts[:1], "allow_duplicate": True}
        await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json=post)
        queue = await alice.post("/v1/post-queues", json={"name": f"queue {number}"})
        rule = {"name": "x", "cron": "30 9 * * *", "timezone": "UTC"}
        named = {"group_id": group, "post_queue_id": queue.body["id"]}
        schedule = await alice.post("/v1/schedules", json={**rule, **named})
        proxy = {"name": f"proxy {number}", "scheme": "http", "host": "proxy.example.com", "port": 3128}
        assert (await alice.post("/v1/proxies", json=proxy)).status == 201
        assert (await alice.post("/v1/api-keys", json={"name": "one", "scopes": ["read"]})).status == 201
        webhook = await alice.post("/v1/webhooks", json={"url": "https://hook.example.com/"})
        await gateway.rows(_OPERATION, UUID(alice.user_id))
    for number in range(COUNT):
        await gateway.rows(_ALERT, UUID(alice.user_id), number)
        await gateway.rows(_DELIVERY, UUID(alice.user_id), UUID(webhook.body["id"]))
        await gateway.rows(_OCCURRENCE, UUID(alice.user_id), UUID(schedule.body["id"]), number)
    known = {"account": accounts[0], "group": await alice.add_group(accounts)}
    known |= {"webhook": webhook.body["id"], "schedule": schedule.body["id"]}
    return Filled(client=alice, lists=[path.format(**known) for path in LISTS])


def ids(answer):
    return [row["id"] for row in answer.body["data"]]


def links(answer):
    return {relation: url for url, relation in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("Link", ""))}


async def follow(client, path, relation):
    """The page at a path, and every page that links of one relation lead to from there."""
    pages = [await client.get(path)]
    while relation in links(pages[-1]):
        pages.append(await client.get(links(pages[-1])[relation]))
    return pages


def test_these_are_all_the_lists():
    """A route that takes a cursor is one of those that the tests below walk, or of those for operators."""
    paged = {route.path for route in ROUTES if issubclass(route.contract.query, PageQuery)}

    assert {re.sub(r"{\w+}", "{id}", path) for path in LISTS} == paged - ELSEWHERE


async def test_links_lead_through_every_list_and_back(filled):
    """Following `Link` headers alone shows every row once, newest first, and the same rows on the way back."""
    for path in filled.lists:
        whole = await filled.client.get(path)
        everything = ids(whole)
        forth = await follow(filled.client, f"{path}?limit=1", "next")
        last = f"{path}?limit=1&cursor={forth[-2].body['pagination']['next_cursor']}"
        back = await follow(filled.client, last, "prev")

        assert len(everything) >= COUNT, path
        assert [row for page in forth for row in ids(page)] == everything, path
        assert [row for page in back for row in ids(page)] == everything[::-1], path
        assert [set(links(page)) for page in forth] == [{"next"}, *[{"next", "prev"}] * (len(forth) - 2), {"prev"}]
        times = [row["created_at"] for row in whole.body["data"] if "created_at" in row]
        assert times == sorted(times, reverse=True), path


async def test_a_cursor_is_worth_nothing_elsewhere(filled, bob):
    """Another user's list, another route and other filters refuse it alike."""
    alice = filled.client
    cursor = (await alice.get("/v1/publications?limit=1&state=scheduled")).body["pagination"]["next_cursor"]
    asked = [
        await alice.get(f"/v1/publications?state=scheduled&cursor={cursor}"),
        await alice.get(f"/v1/publications?state=scheduled&limit=7&cursor={cursor}"),
        await bob.get(f"/v1/publications?state=scheduled&cursor={cursor}"),
        await alice.get(f"/v1/accounts?cursor={cursor}"),
        await alice.get(f"/v1/publications?cursor={cursor}"),
        await alice.get(f"/v1/publications?state=held&cursor={cursor}"),
    ]

    assert [answer.status for answer in asked] == [200, 200, 400, 400, 400, 400]
    assert {answer.body["code"] for answer in asked[2:]} == {"invalid_cursor"}


async def test_limits_mean_the_same_on_every_list(filled):
    """One outside is brought inside, and told; one that is no number is refused."""
    for path in filled.lists:
        for asked, given in LIMITS:
            assert (await filled.client.get(f"{path}?limit={asked}")).body["pagination"]["limit"] == given
        refused = await filled.client.get(f"{path}?limit=many")
        assert (refused.status, refused.body["code"]) == (400, "invalid_limit")
