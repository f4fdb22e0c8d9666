"""What an import does to accounts that are there, were removed, or leave by a proxy."""

from __future__ import annotations

from uuid import UUID

HEADER = "username,instagram_user_id,access_token,proxy_id,protocol_id"


async def add_proxy(client, name="office"):
    answer = await client.post(
        "/v1/proxies", json={"name": name, "scheme": "http", "host": "proxy.example.com", "port": 3128}
    )
    assert answer.status == 201, answer.body
    return answer.body["id"]


async def test_an_account_that_was_removed_comes_back_by_an_import(gateway, alice):
    """It counts as created, is checked again, and is the account it was, with nothing of its old settings."""
    [account_id] = (await alice.import_csv(f"{HEADER},tags\ncafe,1001,FIRST-TOKEN,,quick,old")).body["accounts"]
    removed = await alice.call("DELETE", f"/v1/accounts/{account_id}")
    gone = await alice.get(f"/v1/accounts/{account_id}")

    without = await alice.import_csv("username,instagram_user_id\ncafe,1001")
    back = await alice.import_csv(f"{HEADER}\ncafe,1001,SECOND-TOKEN,,")

    assert (removed.status, gone.status) == (200, 404)
    assert [fault["code"] for fault in without.body["errors"]] == ["missing_field"]
    assert (back.body["created"], back.body["updated"], back.body["accounts"]) == (1, 0, [account_id])
    account = (await alice.get(f"/v1/accounts/{account_id}")).body
    assert (account["state"], account["tags"], account["protocol_id"]) == ("ACTIVE", [], None)
    assert [one["id"] for one in (await alice.get("/v1/accounts")).body["data"]] == [account_id]
    assert [row["account_id"] for row in await gateway.rows("SELECT account_id FROM health_checks")] == [
        UUID(account_id)
    ]


async def test_a_row_may_name_the_proxy_and_the_protocol_of_its_account(alice, bob):
    """What is left out stays; what is not there, or another tenant's, is a fault of its row."""
    mine, other = await add_proxy(alice), await add_proxy(bob)
    [account_id] = (await alice.import_csv(f"{HEADER}\ncafe,1001,FIRST-TOKEN,{mine},cautious")).body["accounts"]
    kept = await alice.import_csv("username,instagram_user_id\ncafe,1001")
    changed = await alice.import_csv("username,instagram_user_id,protocol_id\ncafe,1001,quick")

    wrong = await alice.import_csv(f"{HEADER}\ncafe,1001,,{other},\nbar,1002,TOKEN-no-b,,hasty")

    assert (kept.body["unchanged"], changed.body["updated"]) == (1, 1)
    account = (await alice.get(f"/v1/accounts/{account_id}")).body
    assert (account["proxy_id"], account["protocol_id"]) == (mine, "quick")
    assert [(fault["line"], fault["field"], fault["code"]) for fault in wrong.body["errors"]] == [
        (2, "proxy_id", "not_found"),
        (3, "protocol_id", "not_found"),
    ]


async def test_another_protocol_begins_with_its_first_day(gateway, alice):
    """A day of one protocol says nothing about another."""
    await alice.import_csv(f"{HEADER}\ncafe,1001,FIRST-TOKEN,,cautious")
    await gateway.rows("UPDATE accounts SET warmup_day = 4, warmup_day_began_at = now()")

    await alice.import_csv("username,instagram_user_id,protocol_id\ncafe,1001,cautious\n")
    [same] = await gateway.rows("SELECT warmup_day FROM accounts")
    await alice.import_csv("username,instagram_user_id,protocol_id\ncafe,1001,quick\n")

    [other] = await gateway.rows("SELECT warmup_day, warmup_day_began_at FROM accounts")
    assert (same["warmup_day"], tuple(other)) == (4, (0, None))


async def test_all_accounts_of_an_import_come_back_at_once_and_each_is_told(gateway, alice):
    """After a new app secret every account needs a new token: one import is enough."""
    accounts = await alice.add_accounts(3)
    await gateway.rows("UPDATE accounts SET state = 'NEEDS_REAUTH', state_reason = 'reauth_required'")
    await gateway.rows("DELETE FROM events")

    lines = "\n".join(f"account_{number},{17840000000000000 + number},NEW-TOKEN-{number}" for number in range(1, 4))
    again = await alice.import_csv(f"username,instagram_user_id,access_token\n{lines}")

    assert again.body["updated"] == 3
    assert {one["state"] for one in (await alice.get("/v1/accounts")).body["data"]} == {"ACTIVE"}
    told = await gateway.rows("SELECT subject FROM events WHERE type = 'account.connected'")
    assert {row["subject"] for row in told} == set(accounts)
