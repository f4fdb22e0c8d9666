"""API keys: made, limited, changed, rotated and revoked, and never more than whoever makes them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from services.api.http import Authenticator, Caller, ProblemError
from services.api.keys.note_use import KeyUses, noting_uses
from services.api.limits.policy import Policy
from tests.waiting import until
from tests.wishes import in_hours

PATH = "/v1/api-keys"


def refused(answer, status, code):
    return (answer.status, answer.body["code"]) == (status, code)


async def make(client, **fields):
    answer = await client.post(PATH, json={"name": "of a test", "scopes": ["read", "write", "admin"], **fields})
    assert answer.status == 201, answer.body
    return answer.body


def speaking(client, made):
    return replace(client, api_key=made["key"])


async def own_id(client):
    [key] = (await client.get(PATH)).body["data"]
    return key["id"]


async def test_a_key_is_shown_once_and_does_what_its_scopes_say(gateway, alice):
    """The secret stands in the answer that made it and nowhere else; the key works at once."""
    made = await make(alice, name=" Reports ", scopes=["read", "read"])

    found = await alice.get(f"{PATH}/{made['id']}")
    listed = (await alice.get(f"{PATH}?count=true")).body

    secret = made.pop("key")
    assert secret.startswith(f"ids_{made['key_id']}_")
    assert found.body == made
    assert (made["name"], made["scopes"], made["account_ids"], made["replaces"]) == ("Reports", ["read"], None, None)
    assert listed["data"][0]["id"] == made["id"]
    assert listed["pagination"]["total"] == 2
    assert (await replace(alice, api_key=secret).get("/v1/me")).body["scopes"] == ["read"]
    [kept] = await gateway.rows("SELECT secret_hash::text AS text FROM api_keys WHERE key_id = $1", made["key_id"])
    assert secret.rpartition("_")[2] not in kept["text"]


async def test_a_key_gives_no_more_than_it_has(gateway, alice):
    """Scopes, accounts and the end of a key are those of its maker at most."""
    soon, later = in_hours(1), in_hours(2)
    admin = speaking(alice, await make(alice, scopes=["read", "admin"], expires_at=soon))
    body = {"name": "x", "scopes": ["read"], "expires_at": soon}

    assert refused(await alice.post(PATH, json={**body, "scopes": ["operator"]}), 403, "scope_missing")
    assert refused(await admin.post(PATH, json={**body, "scopes": ["write"]}), 403, "scope_missing")
    for end in (None, later):
        assert refused(await admin.post(PATH, json={**body, "expires_at": end}), 422, "validation_failed")
    assert (await admin.post(PATH, json=body)).status == 201
    assert await gateway.count("audit_log") == 2


async def test_wishes_that_make_no_key_are_refused(gateway, alice, bob):
    """What cannot be is said with its place, and nothing is made."""
    theirs = await bob.add_accounts(1)
    body = {"name": "x", "scopes": ["read"]}
    for fields, status, code in (
        ({"name": " "}, 422, "validation_failed"),
        ({"scopes": []}, 422, "validation_failed"),
        ({"scopes": ["all"]}, 422, "validation_failed"),
        ({"account_ids": []}, 422, "validation_failed"),
        ({"account_ids": theirs}, 404, "not_found"),
        ({"account_ids": theirs, "scopes": ["admin"]}, 422, "validation_failed"),
        ({"expires_at": "2030-01-01T00:00:00"}, 422, "timezone_required"),
        ({"expires_at": in_hours(-1)}, 422, "time_in_past"),
    ):
        assert refused(await alice.post(PATH, json={**body, **fields}), status, code), fields

    assert await gateway.count("api_keys") == 2


async def test_a_limited_key_sees_its_accounts_only(alice):
    """A key with a list of accounts is told so, and keeps to it."""
    accounts = await alice.add_accounts(2)
    limited = speaking(alice, await make(alice, scopes=["read"], account_ids=accounts[:1]))

    assert (await limited.get("/v1/me")).body["account_ids"] == accounts[:1]
    assert (await limited.get(f"/v1/accounts/{accounts[0]}")).status == 200
    assert refused(await limited.get(f"/v1/accounts/{accounts[1]}"), 404, "not_found")


async def test_a_change_holds_at_once_and_within_the_callers_own_rights(gateway, alice):
    """What is given is changed, what is left out stays; nobody makes a key more than itself."""
    made = await make(alice)
    other, path = speaking(alice, made), f"{PATH}/{made['id']}"
    operator = await gateway.client("operator@example.com", operator=True)
    [above] = (await operator.get(PATH)).body["data"]
    await gateway.rows("UPDATE api_keys SET user_id = $1::uuid WHERE id = $2::uuid", alice.user_id, above["id"])

    changed = await alice.call("PATCH", path, json={"scopes": ["read"], "expires_at": in_hours(1)})
    cleared = await alice.call("PATCH", path, json={"expires_at": None, "name": "Reader"})

    assert changed.status == cleared.status == 200
    assert (cleared.body["scopes"], cleared.body["expires_at"], cleared.body["name"]) == (["read"], None, "Reader")
    assert refused(await other.post("/v1/groups", json={"name": "x"}), 403, "scope_missing")
    assert refused(await alice.call("PATCH", path, json={"scopes": ["operator"]}), 403, "scope_missing")
    assert refused(await alice.call("PATCH", f"{PATH}/{above['id']}", json={"name": "x"}), 403, "scope_missing")
    assert refused(await alice.post(f"{PATH}/{above['id']}/rotate"), 403, "scope_missing")
    stale = await alice.call("PATCH", path, json={"name": "y"}, headers={"If-Match": '"another"'})
    assert refused(stale, 412, "version_mismatch")


async def test_a_revoked_key_ends_for_good(alice):
    """It is refused, stays on the list, and cannot be changed or rotated."""
    made = await make(alice)
    other, path = speaking(alice, made), f"{PATH}/{made['id']}"
    assert (await other.get("/v1/me")).status == 200

    ended = [(await other.call("DELETE", path)).status, (await alice.call("DELETE", path)).status]

    assert ended == [204, 204]
    assert refused(await other.get("/v1/me"), 401, "unauthenticated")
    assert (await alice.get(path)).body["revoked_at"] is not None
    assert refused(await alice.call("PATCH", path, json={"name": "x"}), 409, "state_conflict")
    assert refused(await alice.post(f"{path}/rotate"), 409, "state_conflict")


async def test_a_key_that_is_only_remembered_makes_no_successor(gateway, alice):
    """What a process still believes of a key for 5 s is enough to read, and not to make keys that outlive it."""
    stolen, other = [speaking(alice, await make(alice)) for _ in range(2)]
    remembered = [await stolen.get("/v1/me"), await other.get("/v1/me")]
    await gateway.rows("UPDATE api_keys SET revoked_at = now() WHERE key_id = $1", stolen.api_key.split("_")[1])
    await gateway.rows("UPDATE api_keys SET scopes = '{read}' WHERE key_id = $1", other.api_key.split("_")[1])

    refusals = [await client.post(PATH, json={"name": "x", "scopes": ["read"]}) for client in (stolen, other)]

    assert [answer.status for answer in remembered] == [200, 200]
    assert [answer.status for answer in refusals] == [401, 403]
    assert await gateway.count("api_keys") == 3


async def test_the_last_key_that_can_make_keys_stays(gateway, alice):
    """A tenant cannot lock itself out, not even by two requests at once."""
    first, second = await own_id(alice), (await make(alice))
    other = speaking(alice, second)
    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM users FOR NO KEY UPDATE")
        asked = [
            asyncio.create_task(alice.call("DELETE", f"{PATH}/{first}")),
            asyncio.create_task(other.call("DELETE", f"{PATH}/{second['id']}")),
        ]
        await until(lambda: both_wait(gateway), what="both to wait for the tenant's row")

    both = await asyncio.gather(*asked)

    left = (other, second["id"]) if both[0].status == 204 else (alice, first)

    assert sorted(answer.status for answer in both) == [204, 409], [answer.body for answer in both]
    assert next(answer for answer in both if answer.status == 409).body["code"] == "state_conflict"
    client, key = left
    demoted = await client.call("PATCH", f"{PATH}/{key}", json={"scopes": ["read"]})
    assert refused(demoted, 409, "state_conflict")


async def both_wait(gateway):
    [row] = await gateway.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return row["count"] == 2


async def test_a_rotated_key_works_beside_its_successor(gateway, alice):
    """The new key has the old one's rights; the old one ends when the overlap does, and no third one appears."""
    first = await own_id(alice)
    before = datetime.now(UTC)

    made = await alice.post(f"{PATH}/{first}/rotate", json={"overlap_s": 60})
    again = await alice.post(f"{PATH}/{first}/rotate")

    assert made.status == 201
    assert (made.body["replaces"], made.body["scopes"]) == (first, ["read", "write", "admin"])
    successor = speaking(alice, made.body)
    old = (await successor.get(f"{PATH}/{first}")).body
    assert before + timedelta(seconds=59) < datetime.fromisoformat(old["expires_at"]) < before + timedelta(seconds=90)
    assert (await alice.get("/v1/me")).status == 200
    assert refused(again, 409, "state_conflict")
    assert again.body["existing_id"] == made.body["id"]
    assert refused(await successor.post(f"{PATH}/{made.body['id']}/rotate"), 409, "state_conflict")
    actions = await gateway.rows("SELECT action FROM audit_log")
    assert [row["action"] for row in actions] == ["api_key.rotated"]


async def test_a_rotation_without_overlap_ends_the_old_key(alice):
    """`overlap_s` 0: only the successor works."""
    made = await alice.post(f"{PATH}/{await own_id(alice)}/rotate", json={"overlap_s": 0})

    assert refused(await alice.get("/v1/me"), 401, "unauthenticated")
    assert (await speaking(alice, made.body).get("/v1/me")).status == 200


async def test_when_a_key_was_used_is_written_in_the_background(gateway, alice):
    """About when is known soon; the later of two times stays, and a database that is away loses none."""
    key_id = (await alice.get("/v1/me")).body["key_id"]
    async with noting_uses(gateway.deps.pool, every_s=0.01) as uses:
        uses.note(key_id)
        await until(lambda: written(gateway), what="the time of use")
    [known] = await written(gateway)

    earlier = KeyUses(gateway.deps.pool, clock=lambda: known["last_used_at"] - timedelta(hours=1))
    earlier.note(key_id)
    earlier.note("nobody's")
    await earlier.write()

    assert await written(gateway) == [known]
    assert (await alice.get(f"{PATH}/{await own_id(alice)}")).body["last_used_at"] is not None


async def written(gateway):
    return await gateway.rows("SELECT last_used_at FROM api_keys WHERE last_used_at IS NOT NULL")


def request_of(key, address="192.0.2.1"):
    return SimpleNamespace(headers={"Authorization": f"Bearer {key}"}, remote=address)


async def test_many_at_once_share_one_look_at_the_database(gateway, alice, monkeypatch):
    """A flood of one key, good or made up, is one query, and none while it is remembered."""
    now, looks = 100.0, 0
    authenticator = Authenticator(gateway.deps.pool, pepper=b"pepper of the tests", clock=lambda: now)
    look = authenticator.records._look  # noqa: SLF001 - counted where it happens

    async def counted(key_id):
        nonlocal looks
        looks += 1
        return await look(key_id)

    monkeypatch.setattr(authenticator.records, "_look", counted)
    unknown = f"ids_{'0' * 16}_{'A' * 43}"
    for key, kind in ((alice.api_key, Caller), (unknown, ProblemError)):
        looks = 0
        for _ in range(2):
            asked = [authenticator.authenticate(request_of(key)) for _ in range(20)]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(answer, kind) for answer in answers)
        assert looks == 1
        now += 5.0
    await authenticator.close()


async def test_who_guesses_keys_is_slowed_down_and_nobody_else(gateway, alice):
    """An address runs out of tries; a good key works behind the same address, also one that was never seen here."""
    policy = Policy(name="address", per_s=1.0, burst=2)
    authenticator = Authenticator(
        gateway.deps.pool, pepper=b"pepper of the tests", strangers=policy, clock=lambda: 100.0
    )

    async def code_of(key, address="192.0.2.1"):
        try:
            return (await authenticator.authenticate(request_of(key, address))).email
        except ProblemError as problem:
            return problem.code

    unknown = [f"ids_{uuid4().hex[:16]}_{'A' * 43}" for _ in range(3)]
    assert [await code_of(key) for key in unknown] == ["unauthenticated", "unauthenticated", "rate_limited"]
    assert [await code_of(alice.api_key) for _ in range(5)] == ["alice@example.com"] * 5
    assert await code_of(unknown[2], "192.0.2.2") == "unauthenticated"
    assert [await code_of(unknown[2], f"2001:db8::{number}") for number in (1, 2, 3)][-1] == "rate_limited"
    await authenticator.close()


@pytest.mark.parametrize("overlap_s", [-1, 31 * 86_400, 1.5])
async def test_an_overlap_has_its_bounds(alice, overlap_s):
    """Two keys live side by side for 30 days at most."""
    answer = await alice.post(f"{PATH}/{await own_id(alice)}/rotate", json={"overlap_s": overlap_s})

    assert refused(answer, 422, "validation_failed")
