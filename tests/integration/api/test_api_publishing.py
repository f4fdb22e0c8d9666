"""From a wish to publications: each with one message, due when it is, and none by mistake."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

BEGIN, END = "2030-01-01T10:00:00Z", "2030-01-01T11:00:00Z"


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def messages(gateway):
    return await gateway.rows(
        """
        SELECT outbox.subject, outbox.priority, outbox.payload, outbox.due_at = publications.publish_at AS on_time
        FROM outbox JOIN publications ON publications.id::text = outbox.subject
        WHERE outbox.type = 'post:publish'
        """
    )


async def nothing_written(gateway, answer, status: int, code: str):
    assert (answer.status, answer.body["code"]) == (status, code), answer.body
    assert await gateway.count("publications") == 0
    assert await gateway.count("distributions") == 0
    assert await messages(gateway) == []


@pytest.fixture
async def accounts(alice):
    return await alice.add_accounts(3)


@pytest.fixture
async def group(alice, accounts):
    return await alice.add_group(accounts)


@pytest.fixture
async def post(alice):
    return await alice.add_post()


async def test_publish_now_takes_the_critical_lane(gateway, alice, accounts, post):
    """Each account gets a publication and a message that is due at once, before all planned ones."""
    answer = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": [*accounts, accounts[0]]})

    assert answer.status == 202
    assert len(answer.body["publications"]) == 3
    waiting = await messages(gateway)
    assert {row["subject"] for row in waiting} == set(answer.body["publications"])
    assert {(row["priority"], row["on_time"]) for row in waiting} == {(1, True)}
    assert {json.loads(row["payload"])["revision"] for row in waiting} == {1}
    shown = (await alice.get(f"/v1/posts/{post}")).body
    assert (shown["status"], shown["counts"]) == ("scheduled", {"scheduled": 3})


async def test_publish_later_takes_the_normal_lane(gateway, alice, group, post):
    """A planned publication waits in the outbox until its time, behind what a person waits for."""
    publish_at = in_hours(3)
    answer = await alice.post(
        f"/v1/posts/{post}/publish", json={"group_id": group, "publish_at": publish_at, "max_lateness_s": None}
    )

    assert answer.status == 202
    assert {(row["priority"], row["on_time"]) for row in await messages(gateway)} == {(3, True)}
    publication = (await alice.get(f"/v1/publications/{answer.body['publications'][0]}")).body
    assert datetime.fromisoformat(publication["publish_at"]) == datetime.fromisoformat(publish_at)
    assert (publication["state"], publication["max_lateness_s"], publication["post_id"]) == ("scheduled", None, post)


BAD_WISHES: list[Any] = [
    ({"publish_at": "2030-01-01T10:00:00"}, 422, "timezone_required"),
    ({"publish_at": "2020-01-01T10:00:00Z"}, 422, "time_in_past"),
    ({"publish_at": "0001-01-01T00:00:00+14:00"}, 422, "validation_failed"),
    ({"publish_at": "soon"}, 422, "validation_failed"),
    ({"max_lateness_s": -1}, 422, "validation_failed"),
    ({"max_lateness_s": 10**12}, 422, "validation_failed"),
    ({"account_ids": []}, 422, "validation_failed"),
    ({"account_ids": None}, 422, "validation_failed"),
    ({"account_ids": ["01890000-0000-7000-8000-000000000000"]}, 404, "not_found"),
    ({"group_id": "01890000-0000-7000-8000-000000000000"}, 422, "validation_failed"),
    ({"group_id": "01890000-0000-7000-8000-000000000000", "account_ids": None}, 404, "not_found"),
    ({"when": "now"}, 422, "validation_failed"),
]


async def test_a_wish_that_cannot_be_met_writes_nothing(gateway, alice, accounts, post):
    """Every fault has its code, and leaves no publication and no message."""
    for fields, status, code in BAD_WISHES:
        answer = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts} | fields)

        await nothing_written(gateway, answer, status, code)


async def test_an_account_that_cannot_publish_stops_the_wish(gateway, alice, accounts, group, post):
    """One paused account is named, and none of the others gets anything."""
    await alice.post(f"/v1/accounts/{accounts[1]}/pause")

    by_ids = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})
    window = {"from": in_hours(1), "to": in_hours(2)}
    by_group = await alice.post("/v1/distributions", json={"post_id": post, "group_id": group, "window": window})

    for answer in (by_ids, by_group):
        await nothing_written(gateway, answer, 409, "account_not_publishable")
        assert [fault["account_id"] for fault in answer.body["errors"]] == [accounts[1]]


async def test_the_same_post_on_the_same_account_is_refused_unless_wished_for(gateway, alice, accounts, group, post):
    """A duplicate is a conflict that names the publication that is there; it takes a word to have it anyway."""
    first = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts[:1]})
    again = await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": accounts})
    window = {"from": in_hours(1), "to": in_hours(2)}
    plan = {"post_id": post, "group_id": group, "window": window}
    distributed = await alice.post("/v1/distributions", json=plan)

    for answer in (again, distributed):
        assert (answer.status, answer.body["code"]) == (409, "duplicate_content")
        assert answer.body["existing_id"] == first.body["publications"][0]
        assert [(fault["account_id"], fault["existing_id"]) for fault in answer.body["errors"]] == [
            (accounts[0], first.body["publications"][0])
        ]
    assert await gateway.count("publications") == 1
    allowed = await alice.post("/v1/distributions", json=plan | {"allow_duplicate": True})
    assert (allowed.status, allowed.body["publications"]) == (202, 3)


async def test_the_same_wish_many_times_at_once_is_met_once(gateway, alice, accounts, post):
    """Racing requests stand in one line at the post: one is met, the others are told of it."""
    wish = {"account_ids": accounts}
    answers = await asyncio.gather(*(alice.post(f"/v1/posts/{post}/publish", json=wish) for _ in range(6)))

    assert sorted(answer.status for answer in answers) == [202, 409, 409, 409, 409, 409]
    assert await gateway.count("publications") == 3
    assert len(await messages(gateway)) == 3


async def test_a_distribution_follows_its_plan(gateway, alice, group, post):
    """The plan that was shown is the plan that is carried out, and its seed makes it again."""
    begin = datetime.now(UTC) + timedelta(hours=1)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(minutes=30)).isoformat()}
    wish = {"post_id": post, "group_id": group, "window": window, "min_gap_s": 60, "seed": 7}
    shown = await alice.post("/v1/distributions?dry_run=true", json=wish)
    written_by_dry_run = await gateway.count("publications")
    made = await alice.post("/v1/distributions", json=wish)

    assert (shown.status, written_by_dry_run) == (200, 0)
    assert (made.status, made.body["publications"], made.body["seed"]) == (202, 3, 7)
    assert made.body["plan"] == shown.body["plan"]
    assert {(row["priority"], row["on_time"]) for row in await messages(gateway)} == {(3, True)}
    listed = (await alice.get(f"/v1/publications?distribution_id={made.body['id']}")).body["data"]
    planned = {entry["account_id"]: entry["publish_at"] for entry in made.body["plan"]}
    assert {publication["account_id"]: publication["publish_at"] for publication in listed} == planned
    times = sorted(datetime.fromisoformat(time) for time in planned.values())
    assert begin <= times[0]
    assert times[-1] <= begin + timedelta(minutes=30)
    assert all(later - earlier >= timedelta(seconds=60) for earlier, later in pairwise(times))
    detail = (await alice.get(f"/v1/distributions/{made.body['id']}")).body
    assert detail["counts"] == {"scheduled": 3}
    assert (detail["post_id"], detail["group_id"], detail["min_gap_s"]) == (post, group, 60.0)
    assert [entry["id"] for entry in (await alice.get("/v1/distributions")).body["data"]] == [made.body["id"]]


BAD_DISTRIBUTIONS: list[Any] = [
    ({"window": {"from": "2030-01-01T10:00:00", "to": END}}, 422, "timezone_required", "window.from"),
    ({"window": {"from": BEGIN, "to": "2030-01-01T11:00:00"}}, 422, "timezone_required", "window.to"),
    ({"window": {"from": "2020-01-01T10:00:00Z", "to": END}}, 422, "time_in_past", "window.from"),
    ({"window": {"from": END, "to": BEGIN}}, 422, "validation_failed", "window.to"),
    ({"window": {"from": BEGIN}}, 422, "validation_failed", "window.to"),
    ({"min_gap_s": 3600}, 422, "window_too_short", "min_gap_s"),
    ({"min_gap_s": -1}, 422, "validation_failed", "min_gap_s"),
    ({"min_gap_s": 1e300}, 422, "validation_failed", "min_gap_s"),
    ({"seed": -1}, 422, "validation_failed", "seed"),
    ({"seed": 2**63}, 422, "validation_failed", "seed"),
    ({"post_id": "01890000-0000-7000-8000-000000000000"}, 404, "not_found", None),
    ({"group_id": "01890000-0000-7000-8000-000000000000"}, 404, "not_found", None),
]


async def test_a_distribution_that_cannot_be_made_writes_nothing(gateway, alice, group, post):
    """Every fault has its code and its place."""
    wish = {"post_id": post, "group_id": group, "window": {"from": BEGIN, "to": END}}

    for fields, status, code, path in BAD_DISTRIBUTIONS:
        answer = await alice.post("/v1/distributions", json=wish | fields)

        await nothing_written(gateway, answer, status, code)
        if path is not None:
            assert answer.body["errors"][0]["path"] == path


async def test_an_empty_group_is_no_distribution(gateway, alice, post):
    """A group without accounts is told so."""
    empty = await alice.add_group([], name="nobody")
    window = {"from": in_hours(1), "to": in_hours(2)}

    answer = await alice.post("/v1/distributions", json={"post_id": post, "group_id": empty, "window": window})

    await nothing_written(gateway, answer, 422, "group_empty")


BAD_POSTS: list[Any] = [
    ({"caption": "x" * 2201}, 422, "validation_failed", "caption_too_long"),
    ({"caption": " ".join(["#tag"] * 31)}, 422, "validation_failed", "too_many_hashtags"),
    ({"caption": " ".join(["@you"] * 21)}, 422, "validation_failed", "too_many_mentions"),
    ({"caption": "a\x00b"}, 422, "validation_failed", "invalid_text"),
    ({"type": "reel"}, 422, "validation_failed", "wrong_kind"),
    ({"media_ids": []}, 422, "validation_failed", "wrong_media_count"),
    ({"media_ids": ["01890000-0000-7000-8000-000000000000"]}, 404, "not_found", "not_found"),
    ({"overrides": {"01890000-0000-7000-8000-000000000000": {"caption": "x"}}}, 404, "not_found", "not_found"),
]


async def test_a_post_that_the_platform_would_refuse_is_not_stored(gateway, alice, make_picture):
    """Content is held to the platform's limits before anybody plans with it."""
    media = (await alice.upload(make_picture())).body["id"]

    for fields, status, code, fault in BAD_POSTS:
        answer = await alice.post("/v1/posts", json={"caption": "Hello", "media_ids": [media]} | fields)

        assert (answer.status, answer.body["code"]) == (status, code), answer.body
        assert answer.body["errors"][0]["code"] == fault
        assert await gateway.count("posts") == 0


async def test_captions_at_the_limits_are_kept_as_they_are(alice, accounts):
    """2,200 characters, 30 hashtags and 20 mentions pass, and one account may say something else."""
    caption = ("#a " * 30 + "@b " * 20 + "é" * 2200)[:2200]
    post = await alice.add_post(caption=caption, overrides={accounts[0]: {"caption": "mine"}})

    shown = (await alice.get(f"/v1/posts/{post}")).body

    assert (shown["caption"], shown["overrides"]) == (caption, {accounts[0]: {"caption": "mine"}})
    assert (shown["status"], shown["counts"]) == ("draft", {})
    long_override = {"media_ids": shown["media_ids"], "overrides": {accounts[0]: {"caption": "x" * 2201}}}
    answer = await alice.post("/v1/posts", json=long_override)
    assert answer.body["errors"][0]["path"] == f"overrides.{accounts[0]}.caption"


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


async def test_groups_gain_and_lose_accounts_as_often_as_it_is_said(alice, accounts):
    """Adding and removing say how it shall be, so saying it twice changes nothing."""
    made = await alice.post("/v1/groups", json={"name": " Shops ", "color": "#1a2b3c", "tags": ["a", " a", "b"]})
    group = made.body["id"]
    path = f"/v1/groups/{group}/accounts/{accounts[0]}"

    statuses = [(await alice.call(method, path)).status for method in ("PUT", "PUT")]
    inside = (await alice.get(f"/v1/groups/{group}")).body
    statuses += [(await alice.call(method, path)).status for method in ("DELETE", "DELETE")]
    outside = (await alice.get("/v1/groups")).body["data"][0]

    assert statuses == [204] * 4
    assert (inside["name"], inside["color"], inside["tags"], inside["account_count"]) == (
        "Shops", "#1a2b3c", ["a", "b"], 1,
    )  # fmt: skip
    assert outside["account_count"] == 0
    taken = await alice.post("/v1/groups", json={"name": "Shops"})
    assert (taken.status, taken.body["code"], taken.body["existing_id"]) == (409, "name_taken", group)
