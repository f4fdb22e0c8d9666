"""Pausing and resuming accounts: the state before comes back, and so does what was held."""

from __future__ import annotations

import json
from uuid import UUID

import asyncpg
import pytest

from shared.accounts import AccountState, Owner, transition_account

PUBLISHABLE = ["NEW", "WARMING_UP", "ACTIVE"]
DEAD = ["NEEDS_REAUTH", "DISCONNECTED"]


@pytest.fixture
async def account(alice):
    [account_id] = await alice.add_accounts(1)
    return account_id


async def hold(gateway, alice, account_id, *, reason):
    """One publication of the account, held, with no message left."""
    made = await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json={"account_ids": [account_id]})
    [publication_id] = made.body["publications"]
    await gateway.rows("UPDATE publications SET state = 'held', reason = $1", reason)
    await gateway.rows("DELETE FROM outbox")
    return publication_id


async def events(gateway):
    rows = await gateway.rows("SELECT type, payload FROM events WHERE type ~ '^account' ORDER BY seq")
    told = [(row["type"], json.loads(row["payload"]).get("state")) for row in rows]
    return [event for event in told if event[0] != "account.changed"]


async def messages(gateway):
    return [row["subject"] for row in await gateway.rows("SELECT subject FROM outbox WHERE type = 'post:publish'")]


@pytest.mark.parametrize("state", PUBLISHABLE)
async def test_a_pause_keeps_the_state_before_and_a_resume_brings_it_back(gateway, alice, account, state):
    """Whatever an account was before its pause, it is again after it, and both are told."""
    await gateway.rows("UPDATE accounts SET state = $1", state)

    paused = await alice.post(f"/v1/accounts/{account}/pause")
    [kept] = await gateway.rows("SELECT state, paused_from FROM accounts")
    resumed = await alice.post(f"/v1/accounts/{account}/resume")

    assert (paused.status, paused.body["id"], paused.body["state"]) == (200, account, "PAUSED")
    assert tuple(kept) == ("PAUSED", state)
    assert (resumed.status, resumed.body["state"]) == (200, state)
    assert resumed.body == (await alice.get(f"/v1/accounts/{account}")).body
    [after] = await gateway.rows("SELECT state, paused_from FROM accounts")
    assert tuple(after) == (state, None)
    assert await events(gateway) == [("account.paused", "PAUSED"), ("account.resumed", state)]


async def test_what_is_so_already_is_answered_and_left_alone(gateway, alice, account):
    """A second pause keeps the first one's memory; resuming what runs changes nothing."""
    running = await alice.post(f"/v1/accounts/{account}/resume")
    first = await alice.post(f"/v1/accounts/{account}/pause")
    second = await alice.post(f"/v1/accounts/{account}/pause")

    assert (running.status, running.body["state"]) == (200, "NEW")
    assert second.status == 200
    assert second.body == first.body
    [row] = await gateway.rows("SELECT paused_from FROM accounts")
    assert row["paused_from"] == "NEW"
    assert await events(gateway) == [("account.paused", "PAUSED")]


async def test_a_resume_sends_what_was_held_on_its_way(gateway, alice, account):
    """Held publications are scheduled again in the same step, each with its message; other accounts' are not."""
    [other] = await alice.add_accounts(1, first=2)
    other_held = await hold(gateway, alice, other, reason="account_paused")
    held = await hold(gateway, alice, account, reason="account_paused")
    await alice.post(f"/v1/accounts/{account}/pause")
    await alice.post(f"/v1/accounts/{other}/pause")
    while_paused = (await alice.get(f"/v1/publications/{held}")).body["state"]

    await alice.post(f"/v1/accounts/{account}/resume")

    released = (await alice.get(f"/v1/publications/{held}")).body
    assert (while_paused, released["state"], released["reason"]) == ("held", "scheduled", "released")
    assert (await alice.get(f"/v1/publications/{other_held}")).body["state"] == "held"
    assert await messages(gateway) == [held]


async def test_a_restriction_that_was_cleared_is_ended_by_a_resume(gateway, alice, account):
    """The owner cleared it in the app; here one call frees the account and what waited for it."""
    held = await hold(gateway, alice, account, reason="account_restricted")
    await gateway.rows("UPDATE accounts SET state = 'RESTRICTED', state_reason = 'account_restricted'")

    answer = await alice.post(f"/v1/accounts/{account}/resume")

    assert (answer.status, answer.body["state"], answer.body["state_reason"]) == (200, "ACTIVE", None)
    assert (await alice.get(f"/v1/publications/{held}")).body["state"] == "scheduled"
    assert await events(gateway) == [("account.resumed", "ACTIVE")]


@pytest.mark.parametrize("state", DEAD)
async def test_an_account_without_a_working_token_is_not_resumed(gateway, alice, account, state):
    """Only a token helps, the answer says so, and nothing that is held moves."""
    held = await hold(gateway, alice, account, reason="reauth_required")
    await gateway.rows("UPDATE accounts SET state = $1", state)

    answer = await alice.post(f"/v1/accounts/{account}/resume")

    assert (answer.status, answer.body["code"]) == (409, "account_not_resumable")
    assert "Give it a new one" in answer.body["detail"]
    assert (await alice.get(f"/v1/publications/{held}")).body["state"] == "held"
    assert (await events(gateway), await messages(gateway)) == ([], [])


@pytest.mark.parametrize("state", [*DEAD, "RESTRICTED"])
async def test_what_publishes_nothing_is_not_paused(gateway, alice, account, state):
    """A pause would hide what the account really needs."""
    await gateway.rows("UPDATE accounts SET state = $1", state)

    answer = await alice.post(f"/v1/accounts/{account}/pause")

    assert (answer.status, answer.body["code"]) == (409, "state_conflict")
    assert (await alice.get(f"/v1/accounts/{account}")).body["state"] == state


async def test_the_cache_shows_a_pause_and_its_end_at_once(alice, account):
    """From the moment a pause is answered no list and no figure shows the state before."""

    async def shown():
        listed = (await alice.get("/v1/accounts")).body["data"][0]["state"]
        return listed, (await alice.get("/v1/swarm/health")).body["publishable_ratio"]

    seen = [await shown()]
    for action in ("pause", "resume"):
        await alice.post(f"/v1/accounts/{account}/{action}")
        seen.append(await shown())

    assert seen == [("NEW", 1.0), ("PAUSED", 0.0), ("NEW", 1.0)]


async def test_another_tenant_moves_nothing(gateway, alice, bob, account):
    """Another tenant's account is unknown, paused or not."""
    for action in ("pause", "resume"):
        answer = await bob.post(f"/v1/accounts/{account}/{action}")
        assert (answer.status, answer.body["code"]) == (404, "not_found")
        await alice.post(f"/v1/accounts/{account}/pause")

    assert (await alice.get(f"/v1/accounts/{account}")).body["state"] == "PAUSED"
    assert await events(gateway) == [("account.paused", "PAUSED")]


async def test_the_state_before_is_kept_exactly_while_paused(gateway, alice, account):
    """A pause without a memory, or a memory without a pause, cannot be stored, and no arrow leads elsewhere."""
    for change in ("state = 'PAUSED'", "paused_from = 'NEW'", "state = 'PAUSED', paused_from = 'RESTRICTED'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await gateway.rows(f"UPDATE accounts SET {change}")  # noqa: S608 - the test's own text
    await alice.post(f"/v1/accounts/{account}/pause")

    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        moved = await transition_account(
            connection,
            UUID(account),
            user_id=UUID(alice.user_id),
            target=AccountState.ACTIVE,
            owner=Owner.API,
            reason=None,
        )

    assert not moved
    assert (await alice.get(f"/v1/accounts/{account}")).body["state"] == "PAUSED"
