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
