"""What ended long ago is still told, and changed no more."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from shared.cleanup import choose_policies, clean_up
from shared.cleanup.policies import ENDED_PUBLICATIONS
from tests.waiting import until

POLICIES = choose_policies(archive_after_days=90, archive_keep_days=730)
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
CHANGES = [
    ("POST", "/retry", {}),
    ("POST", "/cancel", None),
    ("POST", "/resolve", {"outcome": "published"}),
    ("PATCH", "", {"publish_at": "2035-01-01T12:00:00Z"}),
]


async def publish(client, account_ids):
    """Publications of a new post on these accounts; the post and their ids."""
    post_id = await client.add_post()
    answer = await client.post(f"/v1/posts/{post_id}/publish", json={"account_ids": account_ids})
    assert answer.status == 202, answer.body
    return post_id, answer.body["publications"]


async def let_end(gateway, publication_ids, *, state):
    """Let these have ended long ago."""
    await gateway.rows(
        """
        WITH tries AS (
            INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, ended_at, outcome, error)
            SELECT id, 1, user_id, 1, 'worker', now(), 'published', '{"code": "none"}'
            FROM publications WHERE id = ANY($1::uuid[])
        )
        UPDATE publications
        SET state = $2, updated_at = now() - interval '100 days', error = '{"code": "none"}',
            published_at = CASE WHEN $2 = 'published' THEN now() - interval '100 days' END
        WHERE id = ANY($1::uuid[])
        """,
        publication_ids,
        state,
    )


async def archive(gateway, publication_ids, *, state="published"):
    """Let these have ended long ago, and be archived."""
    await let_end(gateway, publication_ids, state=state)
    done = [outcome async for outcome in clean_up(gateway.deps.pool, POLICIES)]
    assert [outcome.went for outcome in done if outcome.policy.name == "publications"] == [len(publication_ids)]


async def limited_to(client, account_id):
    """The same tenant with a key that sees one account."""
    answer = await client.post(
        "/v1/api-keys", json={"name": "one", "scopes": ["read", "write"], "account_ids": [account_id]}
    )
    assert answer.status == 201, answer.body
    return replace(client, api_key=answer.body["key"])


async def test_an_archived_publication_is_told_as_before(gateway, alice, bob):
    """The same fields with the same values, and its tries; to nobody else."""
    _, [publication_id] = await publish(alice, await alice.add_accounts(1))
    path = f"/v1/publications/{publication_id}"
    before = (await alice.get(path)).body

    await archive(gateway, [publication_id])

    after, attempts = (await alice.get(path)).body, (await alice.get(f"{path}/attempts")).body
    changed = {"archived", "state", "updated_at", "error", "published_at"}
    assert (before["archived"], after["archived"], after["state"]) == (False, True, "published")
    assert {name: after[name] for name in after.keys() - changed} == {
        name: before[name] for name in before.keys() - changed
    }
    assert [(tried["epoch"], tried["outcome"], tried["error"]) for tried in attempts["data"]] == [
        (1, "published", {"code": "none"})
    ]
    assert attempts["pagination"]["has_more"] is False
    assert (await bob.get(path)).status == 404


async def test_the_archive_is_a_list_of_its_own(gateway, alice):
    """In pages, in either order, by account, post and distribution; the usual list has the others."""
    accounts = await alice.add_accounts(2)
    post, old = await publish(alice, accounts)
    other, [second] = await publish(alice, accounts[:1])
    await archive(gateway, [*old, second])
    _, [young] = await publish(alice, accounts[:1])
    listed = "/v1/publications?archived=true"

    async def ids(path):
        return [one["id"] for one in (await alice.get(path)).body["data"]]

    first = (await alice.get(f"{listed}&limit=2&count=true")).body
    rest = (await alice.get(f"{listed}&limit=2&cursor={first['pagination']['next_cursor']}")).body
    assert await ids("/v1/publications") == [young]
    assert first["pagination"]["total"] == 3
    assert {one["id"] for one in [*first["data"], *rest["data"]]} == {*old, second}
    assert (await ids(listed))[0] == second
    assert (await ids(f"{listed}&sort=created_at"))[-1] == second
    assert await ids(f"{listed}&post_id={other}") == [second]
    assert set(await ids(f"{listed}&post_id={post}")) == set(old)
    assert len(await ids(f"{listed}&account_id={accounts[0]}")) == 2
    assert await ids(f"{listed}&distribution_id={post}") == []


@pytest.mark.parametrize(
    "wish", ["state=failed", "from=2026-01-01T00:00:00Z", "to=2026-01-01T00:00:00Z", "sort=publish_at", "group_id={}"]
)
async def test_the_archive_says_what_it_is_listed_by(alice, wish):
    """What would have all of it read is refused, and not left out in silence."""
    answer = await alice.get(f"/v1/publications?archived=true&{wish.format(UUID(int=1))}")

    assert (answer.status, answer.body["code"]) == (422, "validation_failed")
    assert "account_id, post_id or distribution_id" in answer.body["errors"][0]["message"]


@pytest.mark.parametrize(("method", "action", "body"), CHANGES)
async def test_what_is_archived_is_changed_no_more(gateway, alice, method, action, body):
    """And it is said why."""
    _, [publication_id] = await publish(alice, await alice.add_accounts(1))
    await archive(gateway, [publication_id], state="failed")

    answer = await alice.call(method, f"/v1/publications/{publication_id}{action}", json=body)

    assert (answer.status, answer.body["code"]) == (409, "state_conflict")
    assert "archived" in answer.body["detail"]


@pytest.mark.parametrize(("method", "action", "body"), CHANGES)
async def test_a_change_that_waits_while_it_is_archived_is_told_so(gateway, alice, method, action, body):
    """It was there when the change began: it is not unknown, but changed no more."""
    _, [publication_id] = await publish(alice, await alice.add_accounts(1))
    await let_end(gateway, [publication_id], state="failed")

    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        assert await connection.fetchval(ENDED_PUBLICATIONS.let_go, 90, 10) == 1
        change = asyncio.create_task(alice.call(method, f"/v1/publications/{publication_id}{action}", json=body))
        await until(lambda: gateway.rows(WAITING), what="the change waits")
    answer = await change

    assert (answer.status, answer.body["code"]) == (409, "state_conflict")
    assert "archived" in answer.body["detail"]


async def test_a_post_still_counts_what_is_archived(gateway, alice):
    """It stays published, cannot be changed, and is no second time published by mistake."""
    [account] = await alice.add_accounts(1)
    post_id, [publication_id] = await publish(alice, [account])
    await archive(gateway, [publication_id])

    post = (await alice.get(f"/v1/posts/{post_id}")).body
    changed = await alice.call("PATCH", f"/v1/posts/{post_id}", json={"caption": "Other"})
    again = await alice.post(f"/v1/posts/{post_id}/publish", json={"account_ids": [account]})

    assert (post["status"], post["counts"]) == ("published", {"published": 1})
    assert (changed.status, changed.body["code"]) == (409, "state_conflict")
    assert (again.status, again.body["code"], again.body["existing_id"]) == (409, "duplicate_content", publication_id)


async def test_a_distribution_still_counts_what_is_archived(gateway, alice):
    """Added to what is not."""
    accounts = await alice.add_accounts(2)
    group_id, post_id = await alice.add_group(accounts), await alice.add_post()
    window = {"from": "2035-01-01T12:00:00Z", "to": "2035-01-01T13:00:00Z"}
    made = await alice.post("/v1/distributions", json={"post_id": post_id, "group_id": group_id, "window": window})
    path = f"/v1/publications?distribution_id={made.body['id']}"
    first = (await alice.get(path)).body["data"][0]["id"]

    await archive(gateway, [first])

    counts = (await alice.get(f"/v1/distributions/{made.body['id']}")).body["counts"]
    listed = (await alice.get("/v1/distributions")).body["data"][0]["counts"]
    archived = (await alice.get(f"{path}&archived=true")).body["data"]
    assert counts == listed == {"published": 1, "scheduled": 1}
    assert [one["id"] for one in archived] == [first]


async def test_a_limited_key_sees_its_own_accounts_past_alone(gateway, alice):
    """In the list, by its id, and in what a post counts."""
    accounts = await alice.add_accounts(2)
    post_id, ids = await publish(alice, accounts)
    await archive(gateway, ids)
    mine = {one["account_id"]: one["id"] for one in (await alice.get("/v1/publications?archived=true")).body["data"]}
    narrow = await limited_to(alice, accounts[0])

    listed = (await narrow.get("/v1/publications?archived=true")).body["data"]
    post = (await narrow.get(f"/v1/posts/{post_id}")).body
    posts = (await narrow.get("/v1/posts")).body["data"]
    hidden = await narrow.get(f"/v1/publications/{mine[accounts[1]]}")

    assert [one["id"] for one in listed] == [mine[accounts[0]]]
    assert post["counts"] == posts[0]["counts"] == {"published": 1}
    assert hidden.status == 404


async def test_an_operator_asks_what_a_cleanup_would_let_go_and_lets_it(gateway, alice):
    """A dry run counts and changes nothing; the run itself is a job."""
    operator = await gateway.client("operator@example.com", operator=True)
    _, [publication_id] = await publish(alice, await alice.add_accounts(1))
    await gateway.rows(
        "UPDATE publications SET state = 'published', updated_at = now() - interval '1 year' WHERE id = $1",
        publication_id,
    )
    await gateway.rows("DELETE FROM outbox")

    told = await operator.post("/v1/jobs/cleanup?dry_run=true")
    nothing = await gateway.rows("SELECT type FROM outbox")
    begun = await operator.post("/v1/jobs/cleanup")

    [jobs, audits] = [
        await gateway.rows("SELECT type FROM outbox"),
        await gateway.rows("SELECT action FROM audit_log WHERE action LIKE 'cleanup%'"),
    ]
    by_table = {policy["table"]: policy for policy in told.body["policies"]}
    assert (told.status, told.body["dry_run"], nothing) == (200, True, [])
    assert by_table["publications"] == {
        "table": "publications", "kept_days": 90, "fate": "archived", "rows": 1, "rows_are_exact": True
    }  # fmt: skip
    assert by_table["audit_log"]["kept_days"] == 365
    assert (begun.status, begun.body["policies"]) == (202, told.body["policies"])
    assert [row["type"] for row in jobs] == ["cleanup:old_jobs"]
    assert [row["action"] for row in audits] == ["cleanup.started"]
