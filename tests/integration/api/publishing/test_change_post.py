"""Changing and removing a post: exactly what is not live yet follows, and what is on record stays true."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from uuid import UUID

import pytest

from shared.publications import Publication, claim
from tests.wishes import in_hours, messages


async def change(client, post, **fields):
    return await client.call("PATCH", f"/v1/posts/{post}", json=fields)


async def publish(client, post, accounts, **fields):
    answer = await client.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts, **fields})
    assert answer.status == 202, answer.body
    return answer.body["publications"]


@pytest.fixture
async def limited(alice, accounts):
    """A key of the first account alone."""
    wish = {"name": "one account", "scopes": ["read", "write"], "account_ids": accounts[:1]}
    made = await alice.post("/v1/api-keys", json=wish)
    assert made.status == 201, made.body
    return replace(alice, api_key=made.body["key"])


async def test_a_draft_is_changed_as_far_as_is_said(alice, accounts, post):
    """What is left out stays, each fault is told with its path, and what is said again changes nothing."""
    own = {accounts[0]: {"caption": "Only here"}}

    changed = await change(alice, post, caption="Better", overrides=own)
    again = await change(alice, post, caption="Better")
    wrong = await change(alice, post, type="reel", caption="x" * 2201)
    stale = await alice.call("PATCH", f"/v1/posts/{post}", json={"caption": "?"}, headers={"If-Match": '"old"'})

    assert (changed.status, changed.body["caption"], changed.body["overrides"]) == (200, "Better", own)
    assert again.body == changed.body
    assert (await alice.get(f"/v1/posts/{post}")).body == changed.body
    assert {fault["code"] for fault in wrong.body["errors"]} == {"caption_too_long", "wrong_kind"}
    assert (stale.status, stale.body["code"]) == (412, "version_mismatch")
    assert (await change(alice, post, caption=None)).status == 422


async def test_what_waits_is_published_as_changed(gateway, alice, accounts, post):
    """Each waiting publication gets a new revision and its message; containers of the old words are forgotten."""
    made = await publish(alice, post, accounts, publish_at=in_hours(1))
    await gateway.rows(
        "UPDATE publications SET state = 'held', attempt = 2, step = 'container_created', container_id = '1' "
        "WHERE id::text = $1",
        made[0],
    )

    changed = await change(alice, post, caption="Better")

    assert (changed.status, changed.body["counts"]) == (200, {"scheduled": 2, "held": 1})
    rows = await gateway.rows(
        "SELECT revision, attempt, step, container_id, next_attempt_at, publish_at FROM publications"
    )
    assert {(row["revision"], row["attempt"], row["step"], row["container_id"]) for row in rows} == {(2, 0, None, None)}
    assert all(row["next_attempt_at"] == row["publish_at"] for row in rows)
    sent = {row["subject"]: (json.loads(row["payload"])["revision"], row["on_time"]) for row in await messages(gateway)}
    assert {subject: sent[subject] for subject in made[1:]} == dict.fromkeys(made[1:], (2, True))
    audited = await gateway.rows("SELECT after FROM audit_log WHERE action = 'post.changed'")
    assert [json.loads(row["after"])["caption"] for row in audited] == ["Better"]


@pytest.mark.parametrize(
    "known",
    [
        "state = 'published'",
        "state = 'outcome_unknown'",
        "state = 'publishing', lease_until = now(), lease_owner = 'worker'",
        "step = 'publish_sent', container_id = '1', publish_sent_at = now()",
        "state = 'failed', step = 'publish_sent', container_id = '1', publish_sent_at = now()",
    ],
)
async def test_what_is_live_or_may_be_is_not_rewritten(gateway, alice, accounts, post, known):
    """One publication that may carry the words keeps them on record, and what waits stays as it was."""
    made = await publish(alice, post, accounts)
    await gateway.rows(f"UPDATE publications SET {known} WHERE id::text = $1", made[0])  # noqa: S608 - of this test

    refused = await change(alice, post, caption="Better")

    assert (refused.status, refused.body["code"], refused.body["existing_id"]) == (409, "state_conflict", made[0])
    assert {row["revision"] for row in await gateway.rows("SELECT revision FROM publications")} == {1}
    assert (await alice.get(f"/v1/posts/{post}")).body["caption"] == "Hello"


async def test_a_change_and_the_workers_never_mix_old_and_new(gateway, alice, accounts, post):
    """Whoever claims at the same moment either comes first, and the change is refused, or carries a void message."""
    for number in range(4):
        made = await publish(alice, post, accounts, allow_duplicate=True)

        async def take(publication_id):
            async with gateway.deps.pool.acquire() as connection, connection.transaction():
                taken = await claim(connection, UUID(publication_id), revision=1, worker="worker", lease_s=60)
            return isinstance(taken, Publication)

        changed, *taken = await asyncio.gather(
            change(alice, post, caption=f"Better {number}"), *(take(publication_id) for publication_id in made)
        )

        assert (changed.status == 200) == (not any(taken)), changed.body
        await gateway.rows("DELETE FROM publication_attempts")
        await gateway.rows("DELETE FROM publications")


async def test_a_post_is_removed_with_what_waits_if_that_is_said(gateway, alice, bob, accounts, post):
    """What waits is told first; with `cancel` it is canceled with its messages, and the history stays readable."""
    made = await publish(alice, post, accounts, publish_at=in_hours(1))

    refused = await alice.call("DELETE", f"/v1/posts/{post}")
    foreign = await bob.call("DELETE", f"/v1/posts/{post}?cancel=true")
    removed = await alice.call("DELETE", f"/v1/posts/{post}?cancel=true")

    assert (refused.status, refused.body["code"]) == (409, "in_use")
    assert refused.body["errors"][0]["message"].startswith("3 publication(s)")
    assert foreign.status == 404
    assert (removed.status, removed.body) == (200, {"canceled": 3, "in_flight": [], "sent": [], "paused_schedules": 0})
    assert await messages(gateway) == []
    assert (await alice.get("/v1/posts")).body["data"] == []
    shown = await alice.get(f"/v1/publications/{made[0]}")
    assert (shown.body["state"], shown.body["post_id"]) == ("canceled", post)
    retry = await alice.post(f"/v1/publications/{made[0]}/retry")
    again = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})
    validated = await alice.post(f"/v1/posts/{post}/validate")
    for answer in (
        retry,
        again,
        validated,
        await change(alice, post, caption="x"),
        await alice.get(f"/v1/posts/{post}"),
    ):
        assert (answer.status, answer.body["code"]) == (404, "not_found")


async def test_what_was_sent_already_is_listed(gateway, alice, accounts, post):
    """A removal says which publications a worker has, and which may be live after all."""
    made = await publish(alice, post, accounts)
    await gateway.rows(
        "UPDATE publications SET state = 'publishing', lease_until = now() + interval '1 minute', lease_owner = 'me' "
        "WHERE id::text = ANY($1)",
        made[:2],
    )
    await gateway.rows(
        "UPDATE publications SET step = 'publish_sent', container_id = '1', publish_sent_at = now() "
        "WHERE id::text = $1",
        made[0],
    )

    removed = await alice.call("DELETE", f"/v1/posts/{post}?cancel=true")

    assert removed.body == {"canceled": 1, "in_flight": [made[1]], "sent": [made[0]], "paused_schedules": 0}


async def test_posts_are_listed_by_what_one_looks_for(gateway, alice, post):
    """Each filter narrows the list, and each order turns it."""
    other = await alice.add_post(caption="Other")
    await gateway.rows("UPDATE posts SET type = 'story' WHERE id::text = $1", other)
    assert (await change(alice, post, caption="Changed last")).status == 200
    shown = (await alice.get(f"/v1/posts/{post}")).body

    async def listed(query=""):
        answer = await alice.get(f"/v1/posts?{query}")
        assert answer.status == 200, answer.body
        return [row["id"] for row in answer.body["data"]]

    assert await listed() == await listed("sort=updated_at") == [other, post]
    assert await listed("sort=created_at") == await listed("sort=-updated_at") == [post, other]
    assert await listed("type=story") == [other]
    assert await listed(f"media_id={shown['media_ids'][0]}") == [post]
    assert await listed("from=2030-01-01T00:00:00Z") == []
    assert await listed("to=2030-01-01T00:00:00Z&type=image") == [post]
    assert (await alice.get("/v1/posts?status=draft")).status == 422


async def test_a_limited_key_keeps_to_its_accounts(alice, limited, accounts, post):
    """It publishes there alone, sees nothing of the others, and changes nothing that waits on them."""
    captions = {account: {"caption": account} for account in accounts}
    await change(alice, post, overrides=captions)

    shown = (await limited.get(f"/v1/posts/{post}")).body
    own = await change(limited, post, overrides={accounts[0]: {"caption": "Mine"}})
    published = await limited.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts[:1]})
    elsewhere = await limited.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})
    validated = await limited.post(f"/v1/posts/{post}/validate", json={"account_ids": accounts})
    await publish(alice, post, accounts[1:])
    changed = await change(limited, post, caption="Better")
    removed = await limited.call("DELETE", f"/v1/posts/{post}?cancel=true")

    assert shown["overrides"] == {accounts[0]: captions[accounts[0]]}
    assert own.body["overrides"] == {accounts[0]: {"caption": "Mine"}}
    assert (await alice.get(f"/v1/posts/{post}")).body["overrides"] == captions | own.body["overrides"]
    assert published.status == 202
    assert [fault["account_id"] for fault in validated.body["errors"]] == accounts[1:]
    for answer in (elsewhere, changed, removed):
        assert (answer.status, answer.body["code"]) == (403, "account_not_allowed")
    assert (await limited.get(f"/v1/posts/{post}")).body["counts"] == {"scheduled": 1}


async def test_validation_tells_all_that_publishing_would_be_refused_for(gateway, alice, accounts, group, post):
    """Media, accounts and duplicates are told at once, in the words of the routes that would refuse them."""
    fine = await alice.post(f"/v1/posts/{post}/validate", json={"account_ids": accounts[:1]})
    await change(alice, post, overrides={accounts[0]: {"caption": "Mine"}})
    [made] = await publish(alice, post, accounts[1:2])
    await alice.post(f"/v1/accounts/{accounts[2]}/pause")
    await gateway.rows("UPDATE media SET removed_at = now()")

    wrong = (await alice.post(f"/v1/posts/{post}/validate", json={"group_id": group})).body
    alone = (await alice.post(f"/v1/posts/{post}/validate")).body
    aside = (await alice.post(f"/v1/posts/{post}/validate", json={"account_ids": accounts[2:]})).body

    assert (fine.status, fine.body["valid"], fine.body["errors"]) == (200, True, [])
    assert {(fault["code"], fault.get("account_id")) for fault in wrong["errors"]} == {
        ("not_found", None),
        ("account_not_publishable", accounts[2]),
        ("duplicate_content", accounts[1]),
    }
    assert {fault.get("existing_id") for fault in wrong["errors"]} == {None, made}
    assert (alone["valid"], [fault["path"] for fault in alone["errors"]]) == (False, ["media_ids[0]"])
    assert [fault["code"] for fault in alone["warnings"]] == ["media_untried"]
    assert ("override_unused", accounts[0]) in {(fault["code"], fault.get("account_id")) for fault in aside["warnings"]}
    both = await alice.post(f"/v1/posts/{post}/validate", json={"account_ids": accounts, "group_id": group})
    assert both.status == 422
