"""Accounts come by file, list or one by one: all of them or none."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from shared.accounts import AccountState
from shared.security import SealedToken

HEADER = "username,instagram_user_id,access_token,token_expires_at,tags"


ONE = f"{HEADER}\ncafe,1001,FIRST-TOKEN-not-real,2099-01-01T00:00:00+00:00,demo;coffee"


def form_of(content: bytes) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("file", content, filename="accounts.csv", content_type="text/csv")
    return form


async def read_token(gateway, user_id, account_id):
    [row] = await gateway.rows("SELECT key_id, sealed FROM account_tokens WHERE account_id = $1", UUID(account_id))
    sealed = SealedToken(key_id=row["key_id"], ciphertext=row["sealed"])
    return gateway.deps.cipher.decrypt(sealed, user_id=UUID(user_id), row_id=UUID(account_id), column="access_token")


async def test_an_import_adds_changes_and_leaves_alone(alice):
    """The same file twice changes nothing; a changed line changes its account and no other."""
    first = await alice.import_csv(f"{ONE}\nbar,1002,SECOND-TOKEN-not-real,,")
    again = await alice.import_csv(f"{ONE}\nbar,1002,SECOND-TOKEN-not-real,,")
    changed = await alice.import_csv(f"{HEADER}\ncafe.new,1001,,,demo\nclub,1003,THIRD-TOKEN-not-real,,")

    def counts(answer):
        return [answer.body[name] for name in ("created", "updated", "unchanged")]

    assert [counts(answer) for answer in (first, again, changed)] == [[2, 0, 0], [0, 0, 2], [1, 1, 0]]
    assert again.body["accounts"] == first.body["accounts"]
    account = (await alice.get(f"/v1/accounts/{first.body['accounts'][0]}")).body
    assert (account["username"], account["tags"], account["state"]) == ("cafe.new", ["demo"], "NEW")
    assert account["token_expires_at"] == "2099-01-01T00:00:00Z"


async def test_a_token_is_sealed_at_rest_and_never_told(gateway, alice):
    """What is stored is readable only as this account's token, and no answer holds it."""
    imported = await alice.import_csv(ONE)
    account_id = imported.body["accounts"][0]

    assert await read_token(gateway, alice.user_id, account_id) == "FIRST-TOKEN-not-real"
    [row] = await gateway.rows("SELECT sealed FROM account_tokens")
    assert b"FIRST-TOKEN" not in row["sealed"]
    for path in ("/v1/accounts", f"/v1/accounts/{account_id}"):
        assert b"TOKEN" not in (await alice.get(path)).content


async def test_an_empty_token_keeps_the_one_that_is_there(gateway, alice):
    """Nothing said never takes a token away."""
    account_id = (await alice.import_csv(ONE)).body["accounts"][0]

    await alice.import_csv("username,instagram_user_id\nother_name,1001")

    assert await read_token(gateway, alice.user_id, account_id) == "FIRST-TOKEN-not-real"


async def test_a_dry_run_tells_and_writes_nothing(gateway, alice):
    """A dry run gives the counts of the real one."""
    answer = await alice.import_csv(ONE, query="?dry_run=true")

    assert answer.body == {"created": 1, "updated": 0, "unchanged": 0, "dry_run": True}
    assert await gateway.count("accounts") == 0


async def test_a_new_account_gets_its_check_and_its_event(gateway, alice):
    """Each account is looked at within a minute, and one event speaks for all of an import."""
    account_id = (await alice.import_csv(ONE)).body["accounts"][0]

    [check] = await gateway.rows(
        "SELECT account_id::text, user_id::text, next_check_at <= now() + interval '60 s' AS soon, "
        "ask_at <= now() AS asks FROM health_checks"
    )
    assert dict(check) == {"account_id": account_id, "user_id": alice.user_id, "soon": True, "asks": True}
    [event] = await gateway.rows("SELECT type, subject, payload FROM events")
    assert (event["type"], event["subject"]) == ("import.finished", alice.user_id)
    counts = {"created": 1, "updated": 0, "unchanged": 0}
    assert json.loads(event["payload"]) == {"operation_id": None, **counts}
    assert [row["type"] for row in await gateway.rows("SELECT type FROM outbox")] == ["import.finished"]


BAD_ROWS = f"""{HEADER}
good,2001,TOKEN-no-a,,
bad name,2002,TOKEN-no-b,,
good2,20x,TOKEN-no-c,,
good3,2003,TOKEN-no-d,2030-01-01T00:00:00,
good4,2004,TOKEN-no-e,tomorrow,
good5,2001,TOKEN-no-f,,
good6,2006,,,
,2007,TOKEN-no-g,,
good8,2008,TOKEN-no-h,
"quoted
name",2009,TOKEN-no-i,,
good9,2010,TOKEN with blank,,
"""


async def test_an_import_with_bad_rows_reports_each_and_writes_nothing(gateway, alice):
    """Every bad row is told with line, field and reason; the good ones wait until all are good."""
    answer = await alice.import_csv(BAD_ROWS)

    assert (answer.status, answer.body["code"]) == (422, "validation_failed")
    told = [(fault["line"], fault["field"], fault["code"]) for fault in answer.body["errors"]]
    assert told == [
        (3, "username", "invalid_value"),
        (4, "instagram_user_id", "invalid_value"),
        (5, "token_expires_at", "timezone_required"),
        (6, "token_expires_at", "invalid_value"),
        (7, "instagram_user_id", "duplicate_row"),
        (9, "username", "missing_field"),
        (10, "", "wrong_column_count"),
        (11, "username", "invalid_value"),
        (13, "access_token", "invalid_value"),
    ]
    assert all(fault["message"] for fault in answer.body["errors"])
    assert b"TOKEN" not in answer.content
    assert await gateway.count("accounts") == 0


async def test_a_new_account_without_a_token_is_a_bad_row(gateway, alice):
    """An account nobody can act for is not added."""
    answer = await alice.import_csv(f"{HEADER}\ncafe,1001,TOKEN-01,,\nbar,1002,,,")

    assert answer.status == 422
    [fault] = answer.body["errors"]
    assert (fault["line"], fault["field"], fault["code"]) == (3, "access_token", "missing_field")
    assert await gateway.count("accounts") == 0


BAD_FILES = [
    (b"", "missing_column"),
    (b"username,instagram_user_id\n", "no_rows"),
    (b"username|instagram_user_id\na|1\n", "missing_column"),
    (b"username,instagram_user_id,password\na,1,x\n", "unknown_column"),
    (b"username,instagram_user_id,username\na,1,b\n", "duplicate_column"),
    (b"username,instagram_user_id\n\xff\xfe,1\n", "invalid_text"),
    (b'username,instagram_user_id\n"a,1\n', "malformed_csv"),
    (b"username,instagram_user_id\na\x00,1\n", "invalid_value"),
]


async def test_a_file_that_is_no_table_of_accounts_is_refused(gateway, alice):
    """Whatever is sent as CSV is answered with a 422 that names the line."""
    for content, code in BAD_FILES:
        answer = await alice.post("/v1/accounts/import", data=content, headers={"Content-Type": "text/csv"})

        assert answer.status == 422, answer.body
        assert code in {fault["code"] for fault in answer.body["errors"]}
        assert all(fault["line"] >= 1 for fault in answer.body["errors"])
        assert await gateway.count("accounts") == 0


async def test_an_import_may_be_a_list_or_a_form_and_may_begin_with_a_byte_order_mark(alice):
    """JSON, a form field and a spreadsheet's CSV come to the same accounts."""
    fields = {"username": "cafe", "instagram_user_id": "1001", "access_token": "FIRST-TOKEN-not-real"}
    as_list = await alice.post("/v1/accounts/import", json=[{**fields, "tags": ["demo", "coffee"]}])
    text = ONE.replace(",2099-01-01T00:00:00+00:00,", ",,")
    as_form = await alice.post("/v1/accounts/import", data=form_of(("\ufeff" + text).encode()))
    other = await alice.post("/v1/accounts/import", data=b"x", headers={"Content-Type": "text/plain"})
    bad_list = await alice.post("/v1/accounts/import", json=[{**fields, "instagram_user_id": 1001}])

    assert as_list.body["created"] == 1
    assert as_form.body["unchanged"] == 1, as_form.body
    assert (other.status, other.body["code"]) == (415, "unsupported_media_type")
    [fault] = bad_list.body["errors"]
    assert (bad_list.status, fault["line"], fault["field"]) == (422, 1, "instagram_user_id")


async def test_too_many_rows_and_too_large_files_are_refused(gateway, alice):
    """Ten thousand rows are the most; a body beyond the limit is not even read."""
    lines = "\n".join(f"name_{number},{number},TOKEN" for number in range(1, 10_002))
    too_many = await alice.import_csv(f"username,instagram_user_id,access_token\n{lines}")
    too_large = await alice.import_csv("x" * 8_388_609)

    assert (too_many.status, too_many.body["errors"][0]["code"]) == (422, "too_many_rows")
    assert (too_large.status, too_large.body["code"]) == (413, "body_too_large")
    assert await gateway.count("accounts") == 0


async def test_ten_thousand_accounts_are_imported_and_grouped_at_once(gateway, alice):
    """The largest import and the largest group are one call each."""
    accounts = await alice.add_accounts(10_000)
    group = await alice.add_group(accounts)

    assert len(set(accounts)) == 10_000
    assert (await alice.get(f"/v1/groups/{group}")).body["account_count"] == 10_000
    assert await gateway.count("health_checks") == 10_000


@pytest.mark.parametrize("token", ["TOKEN-1-not-real", "NEW-TOKEN"], ids=["the same token", "a new token"])
@pytest.mark.parametrize("state", ["NEEDS_REAUTH", "DISCONNECTED"])
async def test_a_token_brings_an_account_back_and_releases_what_was_held(gateway, alice, state, token):
    """An account that needed its owner is active again, be its token a new one or the one that was there."""
    accounts = await alice.add_accounts(1)
    post = await alice.add_post()
    made = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})
    await gateway.rows("UPDATE accounts SET state = $1, state_reason = 'reauth_required'", state)
    await gateway.rows("UPDATE publications SET state = 'held', reason = 'reauth_required'")
    await gateway.rows("DELETE FROM outbox")
    listed_before = (await alice.get("/v1/accounts")).body["data"][0]["state"]

    without = await alice.import_csv("username,instagram_user_id\naccount_1,17840000000000001")
    state_without = (await alice.get(f"/v1/accounts/{accounts[0]}")).body["state"]
    text = f"username,instagram_user_id,access_token\naccount_1,17840000000000001,{token}"
    dry_run = await alice.import_csv(text, query="?dry_run=true")
    imported = await alice.import_csv(text)
    again = await alice.import_csv(text)

    assert (without.body["unchanged"], state_without) == (1, state)
    assert [answer.body["updated"] for answer in (dry_run, imported, again)] == [1, 1, 0]
    account = (await alice.get(f"/v1/accounts/{accounts[0]}")).body
    assert (account["state"], account["state_reason"]) == (AccountState.ACTIVE, None)
    assert (listed_before, (await alice.get("/v1/accounts")).body["data"][0]["state"]) == (state, AccountState.ACTIVE)
    assert await read_token(gateway, alice.user_id, accounts[0]) == token
    publication = (await alice.get(f"/v1/publications/{made.body['publications'][0]}")).body
    assert publication["state"] == "scheduled"
    assert "post:publish" in {row["type"] for row in await gateway.rows("SELECT type FROM outbox")}


@pytest.mark.parametrize("state", ["PAUSED", "RESTRICTED"])
async def test_a_token_alone_ends_neither_a_pause_nor_a_restriction(gateway, alice, state):
    """What a person stopped, and what the owner must clear in the app, no import sets going."""
    accounts = await alice.add_accounts(1)
    paused_from = "ACTIVE" if state == "PAUSED" else None
    await gateway.rows("UPDATE accounts SET state = $1, paused_from = $2", state, paused_from)

    await alice.import_csv("username,instagram_user_id,access_token\naccount_1,17840000000000001,NEW-TOKEN")

    assert (await alice.get(f"/v1/accounts/{accounts[0]}")).body["state"] == state


async def test_two_imports_at_once_make_each_account_once(alice):
    """The second one waits for the first and finds its accounts."""
    answers = await asyncio.gather(*(alice.import_csv(ONE) for _ in range(4)))

    assert sorted(answer.body["created"] for answer in answers) == [0, 0, 0, 1]


async def test_an_import_that_fails_half_way_leaves_nothing(gateway, alice):
    """Accounts, tokens, checks and events commit together or not at all."""
    await gateway.rows("ALTER TABLE health_checks ADD CONSTRAINT refuse CHECK (false)")

    answer = await alice.import_csv(ONE, crash_expected=True)

    assert answer.status == 500
    for table in ("accounts", "account_tokens", "events", "outbox"):
        assert await gateway.count(table) == 0
    with pytest.raises(asyncpg.CheckViolationError):
        await gateway.rows(
            "INSERT INTO health_checks (account_id, user_id) VALUES (gen_random_uuid(), gen_random_uuid())"
        )


async def test_a_first_line_of_thousands_of_names_is_one_fault(alice):
    """An answer never grows with what a client sends, nor does the work."""
    answer = await alice.import_csv("," * 100_000)

    assert [fault["code"] for fault in answer.body["errors"]] == ["wrong_column_count"]
    assert len(answer.content) < 2_000


async def test_a_token_the_platform_could_never_take_is_a_bad_row(gateway, alice):
    """Better refused at the door than by every job of the account."""
    answer = await alice.import_csv(f"{HEADER}\ncafe,1001,short,,")

    assert [fault["field"] for fault in answer.body["errors"]] == ["access_token"]
    assert await gateway.count("accounts") == 0
