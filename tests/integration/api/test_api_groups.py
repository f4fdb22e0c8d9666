"""Groups, and who is in them."""

from __future__ import annotations

import asyncio
from uuid import UUID

from tests.waiting import until


async def test_groups_gain_and_lose_accounts_as_often_as_it_is_said(alice):
    """Adding and removing say how it shall be, so saying it twice changes nothing."""
    accounts = await alice.add_accounts(3)
    made = await alice.post("/v1/groups", json={"name": " Shops ", "color": "#1a2b3c", "tags": ["a", " a", "b"]})
    group = made.body["id"]
    path = f"/v1/groups/{group}/accounts/{accounts[0]}"

    statuses = [(await alice.call(method, path)).status for method in ("PUT", "PUT")]
    inside = (await alice.get(f"/v1/groups/{group}")).body
    statuses += [(await alice.call(method, path)).status for method in ("DELETE", "DELETE")]
    outside = (await alice.get("/v1/groups")).body["data"][0]

    assert statuses == [204] * 4
    assert (inside["name"], inside["color"], inside["tags"], inside["account_count"]) == (
        "Shops", "#1a2b3c", ["a", "b"], 1,
    )  # fmt: skip
    assert outside["account_count"] == 0
    taken = await alice.post("/v1/groups", json={"name": "Shops"})
    assert (taken.status, taken.body["code"], taken.body["existing_id"]) == (409, "name_taken", group)


async def test_a_change_changes_what_it_names(gateway, alice):
    """What is left out stays, null takes the color away, and one line of the audit log tells it."""
    group = (await alice.post("/v1/groups", json={"name": "Shops", "color": "#1a2b3c", "tags": ["a"]})).body

    renamed = await alice.call("PATCH", f"/v1/groups/{group['id']}", json={"name": "Stores"})
    bare = await alice.call("PATCH", f"/v1/groups/{group['id']}", json={"color": None, "tags": ["b"]})

    assert (renamed.body["name"], renamed.body["color"], renamed.body["tags"]) == ("Stores", "#1a2b3c", ["a"])
    assert (bare.body["name"], bare.body["color"], bare.body["tags"]) == ("Stores", None, ["b"])
    assert bare.body == (await alice.get(f"/v1/groups/{group['id']}")).body
    lines = await gateway.rows("SELECT action, before->>'name' AS before, after->>'name' AS after FROM audit_log")
    assert [(line["action"], line["before"], line["after"]) for line in lines] == [
        ("group.created", None, "Shops"),
        ("group.updated", "Shops", "Stores"),
        ("group.updated", "Stores", "Stores"),
    ]


async def test_a_change_that_cannot_be_had_changes_nothing(alice, bob):
    """A taken name, a wrong color, another version, another tenant's group."""
    first, second = [(await alice.post("/v1/groups", json={"name": name})).body for name in ("one", "two")]
    path = f"/v1/groups/{second['id']}"

    taken = await alice.call("PATCH", path, json={"name": "one"})
    wrong = await alice.call("PATCH", path, json={"color": "red"})
    late = await alice.call("PATCH", path, json={"name": "three"}, headers={"If-Match": '"of long ago"'})
    foreign = await bob.call("PATCH", path, json={"name": "three"})

    assert (taken.status, taken.body["code"], taken.body["existing_id"]) == (409, "name_taken", first["id"])
    assert (wrong.status, wrong.body["errors"][0]["path"]) == (422, "color")
    assert (late.status, late.body["code"]) == (412, "version_mismatch")
    assert foreign.status == (await bob.call("DELETE", path)).status == 404
    assert (await alice.get(path)).body == second


async def test_a_deleted_group_leaves_what_was_made_with_it(gateway, alice):
    """Its accounts stay; its distribution and publications too, and the distribution tells that the group is gone."""
    [account] = await alice.add_accounts(1)
    group, post = await alice.add_group([account]), await alice.add_post()
    window = {"from": "2100-01-01T00:00:00Z", "to": "2100-01-01T01:00:00Z"}
    wish = {"post_id": post, "group_id": group, "window": window}
    made = await alice.post("/v1/distributions", json=wish)

    deleted = await alice.call("DELETE", f"/v1/groups/{group}")

    assert (made.status, deleted.status) == (202, 204)
    assert (await alice.call("DELETE", f"/v1/groups/{group}")).status == 404
    assert (await alice.get(f"/v1/accounts/{account}")).status == 200
    assert (await alice.get(f"/v1/distributions/{made.body['id']}")).body["group_id"] is None
    assert [row["state"] for row in await gateway.rows("SELECT state FROM publications")] == ["scheduled"]


async def test_many_accounts_move_at_once_or_none_does(gateway, alice, bob):
    """A change of members is whole: with one unknown account nobody comes and nobody leaves."""
    accounts, [foreign] = await alice.add_accounts(4), await bob.add_accounts(1, first=9)
    group = await alice.add_group(accounts[:2])
    path = f"/v1/groups/{group}/accounts"

    refused = await alice.post(path, json={"add": [accounts[2], foreign], "remove": [accounts[0]]})
    unclear = await alice.post(path, json={"add": [accounts[2]], "remove": [accounts[2]]})
    moved = await alice.post(path, json={"add": accounts[1:], "remove": [accounts[0]]})

    assert (refused.status, refused.body["errors"][0]["account_id"]) == (404, foreign)
    assert (unclear.status, unclear.body["errors"][0]["path"]) == (422, "remove")
    assert (moved.status, moved.body["account_count"]) == (200, 3)
    inside = (await alice.get(path)).body["data"]
    assert {account["id"] for account in inside} == set(accounts[1:])
    assert inside[0] == (await alice.get(f"/v1/accounts/{inside[0]['id']}")).body
    [line] = await gateway.rows("SELECT after::text FROM audit_log WHERE action = 'group.members_changed'")
    assert line["after"] == '{"added": 2, "removed": 1}'


async def test_a_groups_accounts_come_in_pages(alice):
    """In the order of the accounts' list, each once; another group's are not among them."""
    accounts = await alice.add_accounts(3)
    group = await alice.add_group(accounts[:2])

    first = (await alice.get(f"/v1/groups/{group}/accounts?limit=1&count=true")).body
    second = (await alice.get(f"/v1/groups/{group}/accounts?limit=1&cursor={first['pagination']['next_cursor']}")).body

    assert first["pagination"]["total"] == 2
    assert {page["data"][0]["id"] for page in (first, second)} == set(accounts[:2])
    assert not second["pagination"]["has_more"]


async def test_groups_are_found_by_tag_and_by_account_in_both_orders(alice):
    """Filters may be combined, and a page's cursor goes on in the order and with the filters that it came from."""
    [account] = await alice.add_accounts(1)
    made = [
        (await alice.post("/v1/groups", json={"name": str(number), "tags": [tag], "account_ids": ids})).body["id"]
        for number, (tag, ids) in enumerate([("a", [account]), ("b", [account]), ("a", []), ("a", [account])])
    ]

    async def found(query):
        return [group["id"] for group in (await alice.get(f"/v1/groups?{query}")).body["data"]]

    assert await found("tag=a") == [made[3], made[2], made[0]]
    assert await found(f"account_id={account}&sort=created_at") == [made[0], made[1], made[3]]
    assert await found(f"account_id={account}&tag=b") == [made[1]]
    page = (await alice.get("/v1/groups?sort=created_at&limit=3")).body["pagination"]
    assert await found(f"sort=created_at&limit=3&cursor={page['next_cursor']}") == [made[3]]


async def test_the_cached_list_is_never_behind_a_change(alice):
    """After each change's answer, the first page tells it; its cursor fits the words of the request it came with."""
    accounts = await alice.add_accounts(2)
    group = await alice.add_group(accounts[:1])
    await alice.add_group([], name="another")

    async def shown(query=""):
        [row] = [row for row in (await alice.get(f"/v1/groups{query}")).body["data"] if row["id"] == group] or [None]
        return row and (row["name"], row["account_count"])

    seen = [await shown()]
    for method, path, body in (
        ("PATCH", "", {"name": "new"}),
        ("PUT", f"/accounts/{accounts[1]}", None),
        ("POST", "/accounts", {"remove": accounts}),
        ("DELETE", "", None),
    ):
        await alice.call(method, f"/v1/groups/{group}{path}", json=body)
        seen.append(await shown())

    assert seen == [("everybody", 1), ("new", 1), ("new", 2), ("new", 0), None]
    await alice.add_group([], name="third")
    for query in ("?limit=1", "?limit=1&sort=-created_at"):
        cursor = (await alice.get(f"/v1/groups{query}")).body["pagination"]["next_cursor"]
        assert (await alice.get(f"/v1/groups{query}&cursor={cursor}")).status == 200


async def test_each_change_is_announced(gateway, alice):
    """The event names the group, so that every gateway forgets what it cached; what changes nothing says nothing."""
    [account] = await alice.add_accounts(1)
    group = await alice.add_group([])
    for _ in range(2):
        await alice.call("PUT", f"/v1/groups/{group}/accounts/{account}")
    await alice.call("DELETE", f"/v1/groups/{group}")

    events = await gateway.rows(
        "SELECT subject, payload->>'action' AS action FROM events WHERE type = 'group.changed' ORDER BY seq"
    )

    assert [(event["subject"], event["action"]) for event in events] == [
        (group, "group.created"),
        (group, "group.members_changed"),
        (group, "group.deleted"),
    ]


async def test_an_account_that_is_being_removed_ends_in_no_group(gateway, alice):
    """Who adds it meanwhile waits for the removal, and then sees that it is gone."""
    [account] = await alice.add_accounts(1)
    group = await alice.add_group([])
    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE accounts SET removed_at = now() WHERE id = $1", UUID(account))
        adding = asyncio.create_task(alice.call("PUT", f"/v1/groups/{group}/accounts/{account}"))
        await until(lambda: gateway.rows("SELECT FROM pg_locks WHERE NOT granted"), what="the removal is waited for")

    await adding

    assert await gateway.count("group_members") == 0
