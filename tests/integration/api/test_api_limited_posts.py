"""Posts by keys that are limited to accounts: nothing is told of the accounts beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.wishes import in_hours


@pytest.fixture
async def world(alice):
    """A post with captions of its own for two accounts, and a key that is limited to the first."""
    mine, other = await alice.add_accounts(2)
    overrides = {mine: {"caption": "Mine"}, other: {"caption": "Theirs"}}
    post = await alice.add_post(overrides=overrides)
    key = await alice.post("/v1/api-keys", json={"name": "one", "scopes": ["read", "write"], "account_ids": [mine]})
    return mine, other, post, replace(alice, api_key=key.body["key"])


async def test_a_refusal_names_no_account_that_the_client_did_not_name(alice, world):
    """A group's other accounts, and those that wait for a post, stay unknown."""
    mine, other, post, limited = world
    group = await alice.add_group([mine, other])
    await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": [other], "publish_at": in_hours(5)})

    by_group = [
        await limited.post(f"/v1/posts/{post}/{action}", json={"group_id": group}) for action in ("publish", "validate")
    ]
    changed = await limited.call("PATCH", f"/v1/posts/{post}", json={"caption": "New"})
    removed = await limited.call("DELETE", f"/v1/posts/{post}?cancel=true")

    assert [answer.status for answer in (*by_group, changed, removed)] == [403, 200, 403, 403]
    assert not [answer for answer in (*by_group, changed, removed) if other.encode() in answer.content]


async def test_faults_of_captions_of_other_accounts_are_not_told_by_their_ids(world):
    """Neither that they would be unused, nor that a story takes none."""
    mine, other, post, limited = world

    unused = await limited.post(f"/v1/posts/{post}/validate", json={"account_ids": [mine]})
    story = await limited.call("PATCH", f"/v1/posts/{post}", json={"type": "story", "caption": "", "overrides": {}})

    assert (unused.body["warnings"][:-1], story.status) == ([], 422)
    assert story.body["errors"][0]["code"] == "caption_not_taken"
    assert not [answer for answer in (unused, story) if other.encode() in answer.content]


async def test_a_publication_that_is_live_elsewhere_is_not_told_by_its_id(gateway, alice, world):
    """A post that is live on another account cannot be changed; which one that is stays unknown."""
    _, other, post, limited = world
    made = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": [other]})
    await gateway.rows("UPDATE publications SET state = 'published', published_at = now()")

    hidden = await limited.call("PATCH", f"/v1/posts/{post}", json={"caption": "New"})
    told = await alice.call("PATCH", f"/v1/posts/{post}", json={"caption": "New"})

    assert (hidden.status, hidden.body["code"], hidden.body.get("existing_id")) == (409, "state_conflict", None)
    assert told.body["existing_id"] == made.body["publications"][0]
