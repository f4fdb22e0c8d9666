"""What a person does with publications: look for them, cancel them, try them again."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from tests.wishes import in_hours, messages


async def test_a_scheduled_publication_is_canceled_with_its_message(gateway, alice, accounts, post):
    """A cancel takes the message back; a second one is a conflict."""
    made = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts, "publish_at": in_hours(1)})
    target = made.body["publications"][0]

    canceled = await alice.post(f"/v1/publications/{target}/cancel")
    again = await alice.post(f"/v1/publications/{target}/cancel")

    assert (canceled.status, canceled.body["state"]) == (200, "canceled")
    assert (again.status, again.body["code"]) == (409, "state_conflict")
    assert {row["subject"] for row in await messages(gateway)} == set(made.body["publications"][1:])
    assert "publication.canceled" in {row["type"] for row in await gateway.rows("SELECT type FROM events")}


async def test_what_may_be_live_already_cannot_be_canceled(gateway, alice, accounts, post):
    """Once the publish call was sent, only finding out helps."""
    made = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts[:1]})
    target = made.body["publications"][0]
    await gateway.rows("UPDATE publications SET step = 'publish_sent', container_id = '1', publish_sent_at = now()")

    answer = await alice.post(f"/v1/publications/{target}/cancel")

    assert (answer.status, answer.body["code"]) == (409, "outcome_unresolved")


@pytest.mark.parametrize("state", ["failed", "missed", "canceled"])
async def test_a_retry_starts_anew_and_now(gateway, alice, accounts, post, state):
    """A retried publication has a new revision, no attempts, no container, and a message in the critical lane."""
    made = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts[:1], "publish_at": in_hours(1)})
    target = made.body["publications"][0]
    await gateway.rows(
        "UPDATE publications SET state = $1, attempt = 3, publish_at = now() - interval '1 day', "
        "step = 'container_created', container_id = '1'",
        state,
    )
    await gateway.rows("DELETE FROM outbox")

    answer = await alice.post(f"/v1/publications/{target}/retry")

    assert answer.status == 202, answer.body
    assert (answer.body["state"], answer.body["revision"], answer.body["attempt"]) == ("scheduled", 2, 0)
    [row] = await gateway.rows(
        "SELECT container_id, step, publish_at > now() - interval '60 s' AS now FROM publications"
    )
    assert (row["container_id"], row["step"], row["now"]) == (None, None, True)
    [message] = await messages(gateway)
    assert (message["priority"], json.loads(message["payload"])["revision"]) == (1, 2)


async def test_a_retry_keeps_a_time_that_is_still_to_come(gateway, alice, accounts, post):
    """What was canceled by mistake goes back to its own time and its own lane."""
    made = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts[:1], "publish_at": in_hours(2)})
    target = made.body["publications"][0]
    before = (await alice.post(f"/v1/publications/{target}/cancel")).body

    after = (await alice.post(f"/v1/publications/{target}/retry")).body

    assert after["publish_at"] == before["publish_at"]
    due_in = datetime.fromisoformat(after["next_attempt_at"]) - datetime.fromisoformat(after["publish_at"])
    assert abs(due_in) < timedelta(milliseconds=1)
    [message] = await messages(gateway)
    assert message["priority"] == 3


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("scheduled", "state_conflict"),
        ("held", "state_conflict"),
        ("published", "state_conflict"),
        ("outcome_unknown", "outcome_unresolved"),
    ],
)
async def test_a_retry_that_could_publish_twice_is_refused(gateway, alice, accounts, post, state, code):
    """What is on its way, live, or possibly live is not tried again."""
    made = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts[:1]})
    await gateway.rows("UPDATE publications SET state = $1", state)

    answer = await alice.post(f"/v1/publications/{made.body['publications'][0]}/retry")

    assert (answer.status, answer.body["code"]) == (409, code)


async def test_a_retry_keeps_the_container_whose_publish_call_was_sent(gateway, alice, accounts, post):
    """The publisher must look at that container before it makes another."""
    made = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts[:1]})
    await gateway.rows(
        "UPDATE publications SET state = 'failed', step = 'publish_sent', container_id = '1', publish_sent_at = now()"
    )

    await alice.post(f"/v1/publications/{made.body['publications'][0]}/retry")

    [row] = await gateway.rows("SELECT state, step, container_id FROM publications")
    assert (row["state"], row["step"], row["container_id"]) == ("scheduled", "publish_sent", "1")


async def test_a_retry_beside_a_live_publication_of_the_post_needs_a_word(gateway, alice, accounts, post):
    """The check for duplicates holds for retries too."""
    wish = {"account_ids": accounts[:1]}
    failed = (await alice.post(f"/v1/posts/{post}/publish", json=wish)).body["publications"][0]
    await gateway.rows("UPDATE publications SET state = 'failed'")
    live = (await alice.post(f"/v1/posts/{post}/publish", json=wish)).body["publications"][0]

    refused = await alice.post(f"/v1/publications/{failed}/retry")
    allowed = await alice.post(f"/v1/publications/{failed}/retry", json={"allow_duplicate": True})

    assert (refused.status, refused.body["code"], refused.body["existing_id"]) == (409, "duplicate_content", live)
    assert allowed.status == 202


async def test_publications_are_listed_by_what_one_looks_for(gateway, alice, accounts, post):
    """Each filter narrows the list; the attempts of one are told newest first."""
    made = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts, "publish_at": in_hours(1)})
    target = made.body["publications"][0]
    await gateway.rows("UPDATE publications SET state = 'failed', error = '{\"code\": 1}' WHERE id::text = $1", target)
    await gateway.rows(
        """
        INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, outcome, error)
        SELECT id, epoch.n, user_id, 1, 'worker', 'failed', '{"code": 1}'
        FROM publications CROSS JOIN generate_series(1, 2) AS epoch (n)
        WHERE id::text = $1
        """,
        target,
    )

    async def listed(query: str) -> set[str]:
        answer = await alice.get(f"/v1/publications?{query}")
        assert answer.status == 200, answer.body
        return {publication["id"] for publication in answer.body["data"]}

    assert await listed("state=failed") == {target}
    assert len(await listed(f"account_id={accounts[0]}")) == 1
    assert await listed(f"post_id={post}") == set(made.body["publications"])
    assert await listed(f"post_id={uuid4()}") == set()
    assert await listed("from=2030-01-01T00:00:00%2B01:00") == set()
    assert await listed("to=2030-01-01T00:00:00+01:00") == set(made.body["publications"])
    assert (await alice.get("/v1/publications?from=2030-01-01T00:00:00")).body["code"] == "timezone_required"
    assert (await alice.get(f"/v1/publications/{target}")).body["error"] == {"code": 1}
    attempts = (await alice.get(f"/v1/publications/{target}/attempts")).body
    assert [attempt["epoch"] for attempt in attempts["data"]] == [2, 1]
    assert attempts["data"][0]["error"] == {"code": 1}
    assert attempts["pagination"]["has_more"] is False
