"""What holds for every route there is: keys, tenants, limited keys, repetition, the audit log."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import uuid4

import pytest

from services.api.app import ROUTES
from services.api.http import Scope
from tests.gateway_world import QUERIES, make_world, random_ids, surroundings

GUARDED = [route for route in ROUTES if not route.public]
CHANGES = [route for route in GUARDED if route.method != "GET"]
#: The same for all tenants.
SHARED = {"protocols"}
# It answers for as long as somebody listens.
ENDLESS = "/v1/events"
WITH_ID = [route for route in GUARDED if "{" in route.path and route.path.split("/")[2] not in SHARED]

_TABLES = """
    SELECT relname::text AS name
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND relname NOT IN ('idempotency_keys', 'audit_log')
"""


def said(route, answer):
    return f"{route.method} {route.path} answered {answer.status} {answer.content[:500]!r}"


def is_problem(answer, status, code):
    kind = answer.headers["Content-Type"]
    return (answer.status, kind) == (status, "application/problem+json") and answer.body["code"] == code


@pytest.fixture
async def world(settings, run_gateway, make_picture):
    picture = make_picture(320, 320)
    async with surroundings(settings, picture) as (there, emulator), run_gateway(there) as gateway:
        yield await make_world(gateway, emulator, picture)


async def state_of(gateway):
    """A digest of each table, so that nothing can change unseen."""
    names = [row["name"] for row in await gateway.rows(_TABLES)]
    digests = " UNION ALL ".join(
        f"SELECT '{name}' AS name, md5(string_agg(t::text, '|' ORDER BY t::text)) AS digest FROM {name} AS t"  # noqa: S608
        for name in names
    )
    return {row["name"]: row["digest"] for row in await gateway.rows(digests)}


async def key_with(client, **fields):
    answer = await client.post("/v1/api-keys", json={"name": "of the matrix", **fields})
    assert answer.status == 201, answer.body
    return replace(client, api_key=answer.body["key"])


async def test_every_route_refuses_a_request_without_a_valid_key(alice):
    """No route of the API is open, but those that say so."""
    other_secret = alice.api_key[:-4] + ("AAAA" if not alice.api_key.endswith("AAAA") else "BBBB")
    for route in GUARDED:
        for key in (None, other_secret):
            answer = await replace(alice, api_key=key).call(route.method, random_ids(route.path))
            assert is_problem(answer, 401, "unauthenticated"), said(route, answer)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_every_route_refuses_a_key_without_its_scope(alice):
    """A key is told which scope it lacks; what operators may do is not there for anybody else."""
    lacking = {
        scope: await key_with(alice, scopes=[other for other in ("read", "write", "admin") if other != scope])
        for scope in Scope
    }
    for route in GUARDED:
        answer = await lacking[route.scope].call(route.method, random_ids(route.path))
        expected = (404, "not_found") if route.scope is Scope.OPERATOR else (403, "scope_missing")
        assert is_problem(answer, *expected), said(route, answer)


async def test_every_route_keeps_its_promises(world, subtests):
    """Each of them in the same world, since it takes long to make; what changes it comes last."""
    for promise in (
        every_route_hides_what_belongs_to_another_tenant,
        every_list_shows_a_tenant_its_own_only,
        routes_that_concern_all_accounts_refuse_a_limited_key,
        a_limited_key_is_shown_nothing_of_other_accounts,
        a_limited_key_acts_on_nothing_of_other_accounts,
        every_post_that_is_repeated_is_answered_as_before_and_done_once,
    ):
        with subtests.test(promise.__name__):
            await promise(world)


async def every_route_hides_what_belongs_to_another_tenant(world):
    """Another tenant's id is as unknown as one that was never given out, on every route that takes one."""
    bob = await world.gateway.client("bob@example.com")
    before = await state_of(world.gateway)

    for route in WITH_ID:
        if route.scope is Scope.OPERATOR:
            continue
        for path in (world.fill(route.path), random_ids(route.path)):
            query = QUERIES.get((route.method, route.path), "")
            answer = await bob.call(route.method, path + query, **world.request(route))
            assert is_problem(answer, 404, "not_found"), said(route, answer)

    assert await state_of(world.gateway) == before


async def every_list_shows_a_tenant_its_own_only(world):
    """Another tenant's lists hold nothing of the first one's."""
    bob = await world.gateway.client("bob.too@example.com")
    private = [found for kind, found in world.ids.items() if kind not in SHARED]

    for route in GUARDED:
        if route.method == "GET" and "{" not in route.path and route.path != ENDLESS and route.scope != "operator":
            answer = await bob.get(route.path)
            assert answer.status == 200, said(route, answer)
            assert not [found for found in private if found.encode() in answer.content], said(route, answer)


async def routes_that_concern_all_accounts_refuse_a_limited_key(world):
    """A key that is limited to accounts gets no further than what is meant for it."""
    limited = await key_with(world.client, scopes=["read", "write"], account_ids=[world.inside])
    await world.gateway.rows("UPDATE api_keys SET scopes = '{read,write,admin,operator}' WHERE account_ids IS NOT NULL")
    before = await state_of(world.gateway)

    for route in GUARDED:
        if not route.limited:
            answer = await limited.call(route.method, world.fill(route.path))
            assert is_problem(answer, 403, "account_not_allowed"), said(route, answer)

    assert await state_of(world.gateway) == before


async def a_limited_key_is_shown_nothing_of_other_accounts(world):
    """No answer to it holds the id of an account that it may not see, or of one of its publications."""
    limited = await key_with(world.client, scopes=["read"], account_ids=[world.inside])
    hidden = [world.ids["accounts"].encode(), world.ids["publications"].encode()]

    for route in GUARDED:
        if route.limited and route.method == "GET" and route.path != ENDLESS:
            answer = await limited.get(world.fill(route.path))
            outside = route.path.split("/")[2] in {"accounts", "alerts", "publications"} and "{" in route.path
            assert answer.status == (404 if outside else 200), said(route, answer)
            assert not [found for found in hidden if found in answer.content], said(route, answer)


async def a_limited_key_acts_on_nothing_of_other_accounts(world):
    """Whatever it asks for, another account and what waits for it stay as they are."""
    limited = await key_with(world.client, scopes=["read", "write"], account_ids=[world.inside])
    before = await of_the_account(world)

    for route in CHANGES:
        if route.limited:
            path = world.fill(route.path) + QUERIES.get((route.method, route.path), "")
            answer = await limited.call(route.method, path, **world.request(route))
            assert answer.status < 500, said(route, answer)
            assert await of_the_account(world) == before, said(route, answer)


async def of_the_account(world):
    account = world.ids["accounts"]
    rows = await world.gateway.rows(
        """
        SELECT accounts::text FROM accounts WHERE id = $1
        UNION ALL SELECT publications::text FROM publications WHERE account_id = $1
        UNION ALL SELECT outbox::text FROM outbox
                  WHERE subject IN (SELECT id::text FROM publications WHERE account_id = $1)
        """,
        account,
    )
    return sorted(row[0] for row in rows)


async def every_post_that_is_repeated_is_answered_as_before_and_done_once(world):
    """Same answer, nothing made twice; the same key with another request is refused; a change has its audit line."""
    for route in CHANGES:
        if route.method != "POST":
            continue
        await world.prepare(route)
        key, path = uuid4().hex, world.fill(route.path)
        before = await state_of(world.gateway)
        first = await repeatable(world, route, path, key, world.request(route))
        done = await state_of(world.gateway)
        again = await repeatable(world, route, path, key, world.request(route))
        other = await repeatable(world, route, *another(world, route, path, key))

        assert first.status in route.statuses, said(route, first)
        assert "Idempotency-Replayed" not in first.headers
        assert (again.status, again.content) == (first.status, first.content), said(route, again)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert is_problem(other, 422, "idempotency_mismatch"), said(route, other)
        assert await state_of(world.gateway) == done, route.path
        await require_audit(world, key, before, done, route)


async def repeatable(world, route, path, key, request):
    headers = {"Idempotency-Key": key, "X-Request-ID": key, **request.pop("headers", {})}
    return await world.speaker(route).post(path, headers=headers, **request)


def another(world, route, path, key):
    """A request that is not the same: other bytes, else another thing, else another route."""
    if route.contract.reads_json:
        body = json.dumps(world.request(route)["json"]).encode() + b" "
        return path, key, {"data": body, "headers": {"Content-Type": "application/json"}}
    if "{" in route.path:
        return random_ids(route.path), key, {}
    return "/v1/groups", key, {"json": {"name": "Elsewhere"}}


async def require_audit(world, request_id, before, after, route):
    lines = await world.gateway.rows("SELECT 1 FROM audit_log WHERE request_id = $1", request_id)
    assert len(lines) == (before != after), (route.method, route.path, [n for n in after if after[n] != before[n]])


async def test_every_change_writes_one_audit_line(world):
    """What is changed, put or removed says who did it."""
    changed = 0
    for route in sorted(CHANGES, key=lambda route: (route.method == "DELETE", -len(route.path))):
        if route.method == "POST":
            continue
        await world.prepare(route)
        path = world.fill(route.path) + QUERIES.get((route.method, route.path), "")
        before, request_id = await state_of(world.gateway), uuid4().hex

        answer = await world.speaker(route).call(
            route.method, path, headers={"X-Request-ID": request_id}, **world.request(route)
        )

        after = await state_of(world.gateway)
        assert answer.status in route.statuses, said(route, answer)
        await require_audit(world, request_id, before, after, route)
        changed += before != after
    assert changed >= 10
