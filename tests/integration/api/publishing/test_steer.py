"""A distribution on its way: paused, resumed, canceled, tried again, and found in its list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.wishes import in_hours, messages

_SENT = """
    UPDATE publications SET step = 'publish_sent', container_id = '1', publish_sent_at = now() WHERE account_id = $1
"""
_CLAIMED = """
    UPDATE publications
    SET state = 'publishing', lease_until = now() + interval '1 hour', lease_owner = 'w1', epoch = 1
    WHERE account_id = $1
"""


@pytest.fixture
async def distribution(alice, group, post):
    window = {"from": in_hours(1), "to": in_hours(2)}
    wish = {"post_id": post, "group_id": group, "window": window, "min_gap_s": 60, "seed": 1}
    made = await alice.post("/v1/distributions", json=wish)
    assert made.status == 202, made.body
    return f"/v1/distributions/{made.body['id']}"


async def publication_of(alice, account_id):
    [publication] = (await alice.get(f"/v1/publications?account_id={account_id}")).body["data"]
    return publication


async def event_types(gateway):
    return [row["type"] for row in await gateway.rows("SELECT type FROM events WHERE type LIKE 'distribution.%'")]


async def test_a_pause_holds_what_waits_and_names_what_it_cannot_hold(gateway, alice, accounts, distribution):
    """What is being worked on stops by itself; what was sent may be live."""
    await gateway.rows(_CLAIMED, accounts[1])
    await gateway.rows(_SENT, accounts[2])
    claimed, sent = [(await publication_of(alice, account_id))["id"] for account_id in accounts[1:]]

    paused = await alice.post(f"{distribution}/pause")
    again = await alice.post(f"{distribution}/pause")

    assert paused.status == 200, paused.body
    assert (paused.body["stopped"], paused.body["in_flight"], paused.body["sent"]) == (1, [claimed], [sent])
    assert paused.body["distribution"]["state"] == "paused"
    assert paused.body["distribution"]["counts"] == {"held": 1, "publishing": 1, "scheduled": 1}
    assert (again.status, again.body["stopped"]) == (200, 0)
    assert again.body["distribution"]["paused_at"] == paused.body["distribution"]["paused_at"]
    held = await publication_of(alice, accounts[0])
    assert (held["state"], held["reason"]) == ("held", "distribution_paused")
    assert held["id"] not in {row["subject"] for row in await messages(gateway)}
    assert await event_types(gateway) == ["distribution.paused"] * 2


async def test_a_resumed_distribution_goes_on_where_its_accounts_let_it(gateway, alice, accounts, distribution):
    """What it held is due at its own time again; what an account holds waits for that, and says so."""
    before = await publication_of(alice, accounts[0])
    await alice.post(f"{distribution}/pause")
    await alice.post(f"/v1/accounts/{accounts[1]}/pause")

    resumed = await alice.post(f"{distribution}/resume")
    waits = await publication_of(alice, accounts[1])
    again = await alice.post(f"{distribution}/resume")
    await alice.post(f"/v1/accounts/{accounts[1]}/resume")

    assert (resumed.status, resumed.body["released"], resumed.body["held"]) == (200, 2, 1), resumed.body
    assert (resumed.body["distribution"]["state"], resumed.body["distribution"]["paused_at"]) == ("planned", None)
    assert (waits["state"], waits["reason"]) == ("held", "account_paused")
    assert (again.status, again.body["code"]) == (409, "state_conflict")
    after = await publication_of(alice, accounts[0])
    assert (after["state"], after["publish_at"]) == ("scheduled", before["publish_at"])
    assert (await publication_of(alice, accounts[1]))["state"] == "scheduled"
    assert {row["on_time"] for row in await messages(gateway)} == {True}
    assert len(await messages(gateway)) == 3


async def test_an_account_that_comes_back_releases_nothing_of_a_paused_distribution(alice, accounts, distribution):
    """Every gate is asked again, the distribution's too."""
    await alice.post(f"/v1/accounts/{accounts[0]}/pause")
    await alice.post(f"{distribution}/pause")

    await alice.post(f"/v1/accounts/{accounts[0]}/resume")

    held = await publication_of(alice, accounts[0])
    assert (held["state"], held["reason"]) == ("held", "distribution_paused")


async def test_a_canceled_distribution_is_over(gateway, alice, distribution):
    """Held or waiting, all of it is canceled with its messages, and nothing but a new one leads on."""
    await alice.post(f"{distribution}/pause")

    canceled = await alice.post(f"{distribution}/cancel")
    again = await alice.post(f"{distribution}/cancel")
    others = [await alice.post(f"{distribution}/{action}") for action in ("pause", "resume", "retry-failed")]

    assert (canceled.status, canceled.body["stopped"], canceled.body["sent"]) == (200, 3, [])
    assert canceled.body["distribution"]["state"] == "canceled"
    assert canceled.body["distribution"]["counts"] == {"canceled": 3}
    assert (again.status, again.body["stopped"]) == (200, 0)
    assert {(answer.status, answer.body["code"]) for answer in others} == {(409, "state_conflict")}
    assert await messages(gateway) == []
    kept = await gateway.rows("SELECT action, after->>'stopped' AS n FROM audit_log WHERE action ~ 'distribution.c'")
    assert sorted((row["action"], row["n"]) for row in kept) == [
        ("distribution.canceled", "0"),
        ("distribution.canceled", "3"),
        ("distribution.created", None),
    ]


async def test_what_failed_is_tried_again_with_the_gap_between(gateway, alice, accounts, distribution):
    """Failed and missed ones start anew; whose account cannot publish is named instead."""
    await gateway.rows("UPDATE publications SET state = 'failed', attempt = 3, publish_at = now() - interval '1 day'")
    await gateway.rows("UPDATE publications SET state = 'missed' WHERE account_id = $1", accounts[1])
    await alice.post(f"/v1/accounts/{accounts[2]}/pause")

    answer = await alice.post(f"{distribution}/retry-failed")

    assert (answer.status, answer.body["retried"]) == (202, 2), answer.body
    conflicts = [(conflict["account_id"], conflict["code"]) for conflict in answer.body["conflicts"]]
    assert conflicts == [(accounts[2], "account_not_publishable")]
    assert answer.body["distribution"]["counts"] == {"scheduled": 2, "failed": 1}
    first, second = [await publication_of(alice, account_id) for account_id in accounts[:2]]
    times = sorted(datetime.fromisoformat(one["publish_at"]) for one in (first, second))
    assert times[1] - times[0] == timedelta(seconds=60)
    assert abs(times[0] - datetime.now(UTC)) < timedelta(minutes=1)
    assert (first["revision"], first["attempt"], first["reason"]) == (2, 0, "retried_by_user")


async def test_one_publication_of_a_paused_distribution_is_not_retried(gateway, alice, accounts, distribution):
    """The pause is said, instead of a retry that would go nowhere."""
    await gateway.rows("UPDATE publications SET state = 'failed' WHERE account_id = $1", accounts[0])
    failed = await publication_of(alice, accounts[0])
    await alice.post(f"{distribution}/pause")

    one = await alice.post(f"/v1/publications/{failed['id']}/retry")
    all_of_it = await alice.post(f"{distribution}/retry-failed")

    assert {(answer.status, answer.body["code"]) for answer in (one, all_of_it)} == {(409, "state_conflict")}


async def test_distributions_are_found_by_post_group_and_state(alice, group, post, distribution):
    """Each filter keeps what it names, both orders hold, and the rows are counted."""
    await alice.post(f"{distribution}/pause")
    window = {"from": in_hours(1), "to": in_hours(2)}
    wish = {"post_id": post, "group_id": group, "window": window, "allow_duplicate": True}
    second = (await alice.post("/v1/distributions", json=wish)).body["id"]
    first = distribution.rpartition("/")[2]

    async def found(query):
        return [one["id"] for one in (await alice.get(f"/v1/distributions?{query}")).body["data"]]

    assert await found("state=paused") == [first]
    assert await found("state=planned") == [second]
    assert await found("state=ended") == []
    assert await found(f"post_id={post}&group_id={group}") == [second, first]
    assert await found("sort=created_at") == [first, second]
    assert await found(f"post_id={group}") == []
    assert (await alice.get("/v1/distributions?count=true&limit=1")).body["pagination"]["total"] == 2


async def test_anothers_distribution_is_not_found(bob, distribution):
    """Whatever is asked of it."""
    answers = [await bob.post(f"{distribution}/{action}") for action in ("pause", "resume", "cancel", "retry-failed")]

    assert {answer.status for answer in [*answers, await bob.get(distribution)]} == {404}
