"""Reading accounts: pages, filters, the cache, and their health."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

HEADER = "username,instagram_user_id,access_token,token_expires_at,tags"


ONE = f"{HEADER}\ncafe,1001,FIRST-TOKEN-not-real,2099-01-01T00:00:00+00:00,demo;coffee"


async def test_pages_show_every_account_once_and_lead_back(alice):
    """Cursors walk forward and back; a cursor is worth nothing with other filters."""
    accounts = await alice.add_accounts(5)
    seen: list[str] = []
    path = "/v1/accounts?limit=2"
    first = await alice.get(path)
    page = first
    while True:
        seen += [account["id"] for account in page.body["data"]]
        cursor = page.body["pagination"]["next_cursor"]
        if cursor is None:
            break
        page = await alice.get(f"{path}&cursor={cursor}")
    back = await alice.get(f"{path}&cursor={page.body['pagination']['prev_cursor']}")
    other = await alice.get(f"{path}&state=NEW&cursor={first.body['pagination']['next_cursor']}")

    assert sorted(seen) == sorted(accounts)
    assert len(seen) == 5
    assert [account["id"] for account in back.body["data"]] == seen[2:4]
    assert 'rel="next"' in first.headers["Link"]
    assert (other.status, other.body["code"]) == (400, "invalid_cursor")


async def test_lists_filter_by_state_and_tag(alice):
    """A filter shows what fits and nothing else."""
    imported = await alice.import_csv(f"{ONE}\nbar,1002,TOKEN-02,,demo\nclub,1003,TOKEN-03,,")
    await alice.post(f"/v1/accounts/{imported.body['accounts'][2]}/pause")

    async def names(query: str) -> set[str]:
        return {account["username"] for account in (await alice.get(f"/v1/accounts?{query}")).body["data"]}

    assert await names("tag=demo") == {"cafe", "bar"}
    assert await names("tag=coffee") == {"cafe"}
    assert await names("state=PAUSED") == {"club"}
    assert await names("state=NEW&tag=demo") == {"cafe", "bar"}


async def test_a_list_is_cached_until_something_changes(gateway, alice):
    """The first page comes from the cache, and from the moment a change is answered it shows the change."""
    await alice.import_csv(ONE)
    before = (await alice.get("/v1/accounts")).body
    await gateway.rows("UPDATE accounts SET username = 'behind_our_back'")
    cached = (await alice.get("/v1/accounts")).body
    await alice.import_csv(f"{HEADER}\nbar,1002,TOKEN-02,,")
    after = (await alice.get("/v1/accounts")).body

    assert cached == before
    assert {account["username"] for account in after["data"]} == {"behind_our_back", "bar"}


async def test_the_first_page_is_the_same_from_the_cache_and_without_it(settings, run_gateway):
    """A cached answer cannot be told from a fresh one."""
    async with run_gateway(settings) as gateway:
        alice = await gateway.client("alice@example.com")
        await alice.import_csv(ONE)
        fresh, cached = await alice.get("/v1/accounts"), await alice.get("/v1/accounts")
    async with run_gateway(replace(settings, redis_url="redis://127.0.0.1:1/0")) as other:
        uncached = await replace(alice, url=other.url, http=other.http).get("/v1/accounts")

    assert fresh.body == cached.body == uncached.body


async def test_health_is_told_as_it_was_judged(gateway, alice):
    """Not judged yet is a 404 that says so; a judgement is told whole, and the swarm counts it."""
    accounts = await alice.add_accounts(2)
    unknown = await alice.get(f"/v1/accounts/{accounts[0]}/health")
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
    await gateway.deps.cache.invalidate_account(accounts[0], user_id=alice.user_id)
    known = await alice.get(f"/v1/accounts/{accounts[0]}/health")
    swarm = await alice.get("/v1/accounts/stats/swarm")

    assert (unknown.status, unknown.body["code"]) == (404, "health_unknown")
    assert known.status == 200
    assert {name: known.body[name] for name in ("account_id", "score", "band", "components", "reasons")} == {
        "account_id": accounts[0],
        "score": 71,
        "band": "watch",
        "components": {"A": 100},
        "reasons": [{"code": "failed", "text": "first post failed", "advice": "look"}],
    }
    assert swarm.body["accounts"] == 2
    assert (swarm.body["judged"], swarm.body["score"], swarm.body["publishable_ratio"]) == (1, 71.0, 1.0)
    assert swarm.body["bands"] == {
        "healthy": 0, "watch": 1, "degraded": 0, "at_risk": 0, "critical": 0, "provisional": 0,
    }  # fmt: skip
    assert [account["account_id"] for account in swarm.body["worst"]] == [accounts[0]]
    assert (await alice.get("/v1/swarm/health")).body == swarm.body


async def test_a_swarm_of_nobody_is_no_error(alice):
    """A tenant without accounts gets zeros and nulls, not invented figures."""
    swarm = (await alice.get("/v1/swarm/health")).body

    assert (swarm["accounts"], swarm["score"], swarm["publishable_ratio"], swarm["worst"]) == (0, None, None, [])


async def test_one_account_is_added_once(gateway, alice):
    """A single account is made with 201; the same one again is a conflict that names it."""
    fields = {"username": "@cafe", "instagram_user_id": "1001", "access_token": "TOKEN-not-real"}
    added = await alice.post("/v1/accounts", json=fields)
    again = await alice.post("/v1/accounts", json=fields)
    naive = await alice.post(
        "/v1/accounts", json={**fields, "instagram_user_id": "1002", "token_expires_at": "2030-01-01T00:00:00"}
    )
    bare = await alice.post("/v1/accounts", json={"username": "bar", "instagram_user_id": "1003"})
    unknown = await alice.post("/v1/accounts", json={**fields, "instagram_user_id": "1004", "password": "x"})

    assert (added.status, added.body["username"]) == (201, "cafe")
    assert added.headers["Location"] == f"/v1/accounts/{added.body['id']}"
    assert (again.status, again.body["code"], again.body["existing_id"]) == (409, "account_exists", added.body["id"])
    assert (naive.status, naive.body["code"]) == (422, "timezone_required")
    assert (bare.status, bare.body["errors"][0]["path"]) == (422, "access_token")
    assert (unknown.status, unknown.body["errors"][0]["path"]) == (422, "password")
    assert await gateway.count("accounts") == 1


async def test_lists_find_accounts_by_what_they_belong_to(gateway, alice):
    """By user name in any case, group, proxy and protocol; oldest first where that is wished for."""
    accounts = await alice.add_accounts(3)
    group = await alice.add_group(accounts[:2])
    await alice.call("PATCH", f"/v1/accounts/{accounts[2]}", json={"protocol_id": "quick"})
    proxy = await gateway.deps.pool.fetchval(
        """
        INSERT INTO proxies (id, user_id, name, scheme, host, port)
        VALUES (gen_random_uuid(), $1, 'office', 'http', 'localhost', 3128)
        RETURNING id
        """,
        UUID(alice.user_id),
    )
    await alice.call("PATCH", f"/v1/accounts/{accounts[0]}", json={"proxy_id": str(proxy)})

    async def ids(query: str) -> list[str]:
        return [account["id"] for account in (await alice.get(f"/v1/accounts?{query}")).body["data"]]

    assert await ids("username=ACCOUNT_2") == [accounts[1]]
    assert set(await ids(f"group_id={group}")) == set(accounts[:2])
    assert await ids(f"proxy_id={proxy}") == [accounts[0]]
    assert await ids("protocol_id=quick") == [accounts[2]]
    assert await ids("sort=created_at") == list(reversed(await ids("sort=-created_at")))
    assert (await alice.get("/v1/accounts?sort=username")).status == 422


async def test_a_page_of_another_spelling_leads_on_under_its_own(alice):
    """Two ways to write the same wish share no cursor, though both come from the cache."""
    await alice.add_accounts(3)
    for _ in range(2):
        for query in ("limit=2", "limit=2&sort=-created_at"):
            page = (await alice.get(f"/v1/accounts?{query}")).body
            following = await alice.get(f"/v1/accounts?{query}&cursor={page['pagination']['next_cursor']}")
            assert (following.status, len(following.body["data"])) == (200, 1)


async def test_a_limited_key_keeps_to_its_accounts(alice):
    """It reads and acts on them as any key, is told of no other, and what others read is not served to it."""
    mine, other = await alice.add_accounts(2)
    wish = {"name": "one account", "scopes": ["read", "write"], "account_ids": [mine]}
    key = (await alice.post("/v1/api-keys", json=wish)).body["key"]
    limited = replace(alice, api_key=key)
    await alice.get("/v1/accounts")
    await alice.get(f"/v1/accounts/{other}")

    listed = await limited.get("/v1/accounts?count=true")
    cached = [(await client.get("/v1/accounts")).body["data"] for client in (limited, alice, limited)]
    own = [(await limited.get(f"/v1/accounts/{mine}{path}")).status for path in ("", "/quota", "/publications")]
    own += [(await limited.post(f"/v1/accounts/{mine}/{action}")).status for action in ("pause", "resume")]
    own.append((await limited.call("PATCH", f"/v1/accounts/{mine}", json={"tags": ["x"]})).status)
    theirs = [await limited.get(f"/v1/accounts/{other}{path}") for path in ("", "/health", "/quota", "/publications")]
    theirs += [await limited.post(f"/v1/accounts/{other}/{action}") for action in ("pause", "resume", "verify")]
    theirs += [await limited.call(method, f"/v1/accounts/{other}", json={}) for method in ("PATCH", "DELETE")]
    fields = {"username": "new", "instagram_user_id": "1", "access_token": "TOKEN-not-real"}
    beyond = [await limited.post("/v1/accounts", json=fields), await limited.post("/v1/accounts/connect", json={})]

    assert (listed.body["pagination"]["total"], [one["id"] for one in listed.body["data"]]) == (1, [mine])
    assert [{one["id"] for one in page} for page in cached] == [{mine}, {mine, other}, {mine}]
    assert own == [200] * 6
    assert {(answer.status, answer.body["code"]) for answer in theirs} == {(404, "not_found")}
    assert {(answer.status, answer.body["code"]) for answer in beyond} == {(403, "account_not_allowed")}


async def test_one_account_is_cached_until_it_changes(gateway, alice):
    """Each write through the gateway shows in the next read, and a read that is cached is the same bytes."""
    [account] = await alice.add_accounts(1)
    path = f"/v1/accounts/{account}"
    first = await alice.get(path)
    await gateway.rows("UPDATE accounts SET tags = '{behind}'")

    cached = await alice.get(path)
    paused = await alice.post(f"{path}/pause")
    fresh = await alice.get(path)
    known = await alice.get(path, headers={"If-None-Match": fresh.headers["ETag"]})

    assert (cached.content, cached.headers["ETag"]) == (first.content, first.headers["ETag"])
    assert (fresh.body, fresh.body["state"]) == (paused.body, "PAUSED")
    assert known.status == 304
