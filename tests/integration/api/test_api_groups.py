"""Groups, and who is in them."""

from __future__ import annotations


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
