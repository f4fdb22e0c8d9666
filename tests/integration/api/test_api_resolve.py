"""Resolving: a person says what the system could not find out."""

from __future__ import annotations

from typing import Any

import pytest

MEDIA = {"media_id": "17900000000000001", "permalink": "https://www.instagram.com/p/abc/"}


@pytest.fixture
async def unknown(gateway, alice):
    """A publication that was sent twice, and whose outcome nobody knows."""
    accounts = await alice.add_accounts(1)
    made = await alice.post(f"/v1/posts/{await alice.add_post()}/publish", json={"account_ids": accounts})
    await gateway.rows(
        "UPDATE publications SET state = 'outcome_unknown', reason = 'unverified', error = '{\"class\": \"unknown\"}', "
        "attempt = 1, step = 'publish_sent', container_id = '1', publish_sent_at = now(), publish_sends = 2"
    )
    await gateway.rows("DELETE FROM outbox")
    await gateway.rows("DELETE FROM events")
    return made.body["publications"][0]


async def test_what_is_live_is_resolved_as_published(gateway, alice, unknown):
    """The publication ends as published, with the place of the post, and listeners are told."""
    answer = await alice.post(f"/v1/publications/{unknown}/resolve", json={"outcome": "published", **MEDIA})

    assert answer.status == 200, answer.body
    assert answer.body == (await alice.get(f"/v1/publications/{unknown}")).body
    told = {name: answer.body[name] for name in ("id", "state", "reason", "media_id", "permalink", "error")}
    assert told == {"id": unknown, "state": "published", "reason": "resolved_by_user", "error": None, **MEDIA}
    assert answer.body["published_at"] is not None
    assert [row["type"] for row in await gateway.rows("SELECT type FROM events")] == ["publication.published"]


async def test_what_is_not_live_is_resolved_as_failed_and_may_be_retried(gateway, alice, unknown):
    """The retry keeps the container and the mark of its call, so that it looks first, and may send one call more."""
    resolved = await alice.post(f"/v1/publications/{unknown}/resolve", json={"outcome": "failed"})
    retried = await alice.post(f"/v1/publications/{unknown}/retry")

    assert (resolved.status, resolved.body["state"], resolved.body["reason"]) == (200, "failed", "resolved_by_user")
    assert (resolved.body["error"], resolved.body["published_at"]) == ({"class": "unknown"}, None)
    assert (retried.status, retried.body["state"]) == (202, "scheduled")
    [row] = await gateway.rows("SELECT step, container_id, publish_sends FROM publications")
    assert tuple(row) == ("publish_sent", "1", 1)


async def test_after_a_restore_a_person_s_word_is_all_there_is(gateway, alice, unknown):
    """No container is known to look at: what is resolved as failed begins from the beginning when it is retried."""
    await gateway.rows("UPDATE publications SET container_id = ''")

    await alice.post(f"/v1/publications/{unknown}/resolve", json={"outcome": "failed"})
    retried = await alice.post(f"/v1/publications/{unknown}/retry")

    [row] = await gateway.rows("SELECT step, container_id, publish_sends FROM publications")
    assert (retried.status, retried.body["state"]) == (202, "scheduled")
    assert tuple(row) == (None, None, 0)


@pytest.mark.parametrize("state", ["scheduled", "held", "published", "failed", "missed", "canceled"])
async def test_only_an_unknown_outcome_is_resolved(gateway, alice, unknown, state):
    """What the system knows nobody needs to tell it."""
    await gateway.rows("UPDATE publications SET state = $1", state)

    answer = await alice.post(f"/v1/publications/{unknown}/resolve", json={"outcome": "published"})

    assert (answer.status, answer.body["code"]) == (409, "state_conflict")
    assert (await alice.get(f"/v1/publications/{unknown}")).body["state"] == state
    assert await gateway.count("events") == 0


async def test_a_resolution_counts_once(alice, unknown):
    """The first word stands; a second one is a conflict."""
    path = f"/v1/publications/{unknown}/resolve"
    first = await alice.post(path, json={"outcome": "published"})
    second = await alice.post(path, json={"outcome": "failed"})

    assert (first.status, first.body["media_id"]) == (200, None)
    assert (second.status, second.body["code"]) == (409, "state_conflict")


BAD_RESOLUTIONS: list[Any] = [
    ({}, "outcome"),
    ({"outcome": "canceled"}, "outcome"),
    ({"outcome": "published", "note": "x"}, "note"),
    ({"outcome": "failed", "media_id": MEDIA["media_id"]}, "media_id"),
    ({"outcome": "failed", "permalink": MEDIA["permalink"]}, "permalink"),
    ({"outcome": "published", "media_id": "abc"}, "media_id"),
    ({"outcome": "published", "media_id": ""}, "media_id"),
    ({"outcome": "published", "media_id": 1}, "media_id"),
    ({"outcome": "published", "permalink": "javascript:alert(1)"}, "permalink"),
    ({"outcome": "published", "permalink": f"https://{'x' * 2041}"}, "permalink"),
]


async def test_a_resolution_that_contradicts_itself_is_refused(gateway, alice, unknown):
    """Every fault is told with its place, and the outcome stays open."""
    for body, path in BAD_RESOLUTIONS:
        answer = await alice.post(f"/v1/publications/{unknown}/resolve", json=body)

        assert (answer.status, answer.body["code"]) == (422, "validation_failed"), answer.body
        assert answer.body["errors"][0]["path"] == path
    assert (await alice.get(f"/v1/publications/{unknown}")).body["state"] == "outcome_unknown"
    assert await gateway.count("events") == 0


async def test_another_tenants_publication_stays_unresolved(alice, bob, unknown):
    """To another tenant it is unknown in the plain sense."""
    answer = await bob.post(f"/v1/publications/{unknown}/resolve", json={"outcome": "published"})

    assert (answer.status, answer.body["code"]) == (404, "not_found")
    assert (await alice.get(f"/v1/publications/{unknown}")).body["state"] == "outcome_unknown"
