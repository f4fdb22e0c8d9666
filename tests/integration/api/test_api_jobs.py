"""What operators see of the jobs of all tenants, and do about them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.api.jobs.routes import ROUTES
from tests.dead_jobs import NOON, bury

ABSENT = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
async def operator(gateway):
    return await gateway.client("operator@example.com", operator=True)


async def test_for_anybody_else_there_is_nothing_here(alice):
    """Not even a hint that it needs another key."""
    answers = [await alice.call(route.method, route.path.replace("{id}", ABSENT)) for route in ROUTES]

    assert {(answer.status, answer.body["code"]) for answer in answers} == {(404, "not_found")}


async def test_stats_sum_what_all_processes_wrote(gateway, operator):
    """By type, with what is due in the outbox and what died."""
    for worker in ("one", "two"):
        await gateway.rows(
            "INSERT INTO job_stats (worker, type, completed, failed, active) VALUES ($1, 'post:publish', 2, 1, 1)",
            worker,
        )
    await bury(gateway.deps.pool, 2)

    stats = (await operator.get("/v1/jobs/stats")).body

    assert stats["types"] == {"post:publish": {"completed": 4, "failed": 2, "active": 2}}
    assert [(dead["type"], dead["reason"], dead["count"]) for dead in stats["dead"]] == [
        ("health:check", "exhausted", 2)
    ]
    assert stats["outbox"] == {"due": 0, "oldest_s": None}


async def test_queues_are_as_the_broker_counts_them(settings, run_gateway, amqp_url):
    """Every queue of ours is named, the empty ones too."""
    async with run_gateway(replace(settings, amqp_url=(amqp_url,))) as gateway:
        operator = await gateway.client("operator@example.com", operator=True)

        answer = await operator.get("/v1/jobs/queues")

    assert answer.status == 200, answer.body
    assert answer.body["queues"]["jobs.publisher.v1"] == 0


async def test_a_broker_that_does_not_answer_is_no_empty_queue(operator):
    """Nobody knows, and so it is said."""
    answer = await operator.get("/v1/jobs/queues")

    assert (answer.status, answer.body["code"]) == (503, "not_ready")
    assert "Retry-After" in answer.headers


async def test_dead_jobs_are_listed_the_latest_death_first(gateway, operator):
    """In pages both ways, by type, reason and time."""
    pool = gateway.deps.pool
    old = [str(dead_id) for dead_id in await bury(pool, 3)]
    [other] = await bury(pool, type_="post:publish", reason="crash_loop", died_at=NOON.replace(hour=13))

    async def found(query):
        return [job["id"] for job in (await operator.get(f"/v1/jobs/dead?{query}")).body["data"]]

    first = (await operator.get("/v1/jobs/dead?limit=2&count=true")).body
    second = (await operator.get(f"/v1/jobs/dead?limit=2&cursor={first['pagination']['next_cursor']}")).body
    back = await found(f"limit=2&cursor={second['pagination']['prev_cursor']}")
    assert [job["id"] for page in (first, second) for job in page["data"]] == [str(other), *reversed(old)]
    assert back == [job["id"] for job in first["data"]]
    assert first["pagination"]["total"] == 4
    assert await found("type=post:publish&reason=crash_loop") == [str(other)]
    assert await found("from=2026-01-31T12:01:00Z&to=2026-01-31T12:02:00Z") == [old[1]]
    for query, code in (("type=post", "validation_failed"), ("from=2026-01-31T12:01:00", "timezone_required")):
        assert (await operator.get(f"/v1/jobs/dead?{query}")).body["code"] == code


async def test_a_dead_job_is_shown_with_all_that_it_carried(gateway, operator):
    """Runs, headers and payload; a payload that is no JSON as base64."""
    failures = [{"attempt": 1, "at": "2026-01-31T12:00:00Z", "error": "said no"}]
    [dead_id] = await bury(gateway.deps.pool, failures=failures, payload=b'{"account_id": "x"}')
    [unreadable] = await bury(gateway.deps.pool, type_="unreadable", payload=b"\xff")

    shown = (await operator.get(f"/v1/jobs/dead/{dead_id}")).body
    other = (await operator.get(f"/v1/jobs/dead/{unreadable}")).body

    assert (shown["payload"], shown["payload_base64"]) == ({"account_id": "x"}, None)
    assert (shown["failures"], shown["priority"]) == (failures, "high")
    assert shown["headers"]["x-job-id"] == str(dead_id)
    assert (other["payload"], other["payload_base64"]) == (None, "/w==")


async def test_a_redriven_job_lives_again_once(gateway, operator):
    """It goes to the outbox with all its attempts; who repeats the request with its key is answered as before."""
    [dead_id] = await bury(gateway.deps.pool)
    path, key = f"/v1/jobs/dead/{dead_id}/redrive", {"Idempotency-Key": "once"}

    answers = [await operator.post(path, headers=headers) for headers in (key, key, {})]

    assert [answer.status for answer in answers] == [200, 200, 404]
    assert answers[0].body == answers[1].body == {"redriven": 1, "dry_run": False, "refused": [], "more": False}
    assert [row["subject"] for row in await gateway.rows("SELECT subject FROM outbox")] == [str(dead_id)]
    [line] = await gateway.rows("SELECT user_id::text, action, subject_id FROM audit_log")
    assert tuple(line) == (operator.user_id, "dead_job.redriven", str(dead_id))


async def test_a_job_that_cannot_live_again_stays(gateway, operator):
    """And the answer says why."""
    [dead_id] = await bury(gateway.deps.pool, type_="unreadable")

    refused = await operator.post(f"/v1/jobs/dead/{dead_id}/redrive")

    assert (refused.status, refused.body["code"]) == (409, "state_conflict")
    assert "no job that this version can read" in refused.body["detail"]
    assert await gateway.count("dead_jobs") == 1


async def test_many_are_redriven_by_a_filter(gateway, operator):
    """The oldest first and no more than the limit; a dry run only says what would come of it."""
    pool, path = gateway.deps.pool, "/v1/jobs/dead/redrive"
    meant = await bury(pool, 3)
    await bury(pool, type_="post:publish")
    [stays] = await bury(pool, type_="unreadable")

    tried = (await operator.post(path, json={"type": "health:check", "dry_run": True})).body
    done = (await operator.post(path, json={"type": "health:check", "limit": 2})).body
    rest = (await operator.post(path, json={"all": True, "rate_per_s": 1})).body

    assert (tried["redriven"], tried["dry_run"], tried["more"]) == (3, True, False)
    assert (done["redriven"], done["more"]) == (2, True)
    assert (rest["redriven"], [one["id"] for one in rest["refused"]]) == (2, [str(stays)])
    waiting = await gateway.rows("SELECT subject FROM outbox ORDER BY id LIMIT 2")
    assert {row["subject"] for row in waiting} == {str(one) for one in meant[:2]}
    assert [row["id"] for row in await gateway.rows("SELECT id FROM dead_jobs")] == [stays]
    actions = [row["action"] for row in await gateway.rows("SELECT action FROM audit_log")]
    assert actions == ["dead_jobs.redriven"] * 2


async def test_dead_jobs_are_let_go_one_by_one_or_by_a_filter(gateway, operator):
    """Gone for good, with a line of who did it."""
    pool = gateway.deps.pool
    first, *_ = await bury(pool, 3)
    [other] = await bury(pool, type_="post:publish")

    statuses = [(await operator.call("DELETE", f"/v1/jobs/dead/{first}")).status for _ in range(2)]
    some = await operator.call("DELETE", "/v1/jobs/dead?type=health:check&limit=1")
    rest = await operator.call("DELETE", "/v1/jobs/dead?type=health:check")

    assert statuses == [204, 404]
    assert (some.body, rest.body) == ({"discarded": 1, "more": True}, {"discarded": 1, "more": False})
    assert [row["id"] for row in await gateway.rows("SELECT id FROM dead_jobs")] == [other]
    lines = await gateway.rows("SELECT action, coalesce(after, before)->>'discarded' AS gone FROM audit_log")
    assert [tuple(line) for line in lines] == [
        ("dead_job.discarded", None),
        ("dead_jobs.discarded", "1"),
        ("dead_jobs.discarded", "1"),
    ]


@pytest.mark.parametrize("wish", [{}, {"all": True, "type": "health:check"}], ids=["nothing", "two things"])
async def test_who_does_not_say_which_changes_nothing(gateway, operator, wish):
    """All of them are meant only where that is said, and then alone."""
    await bury(gateway.deps.pool)

    query = "&".join(f"{name}={str(value).lower()}" for name, value in wish.items())
    answers = [
        await operator.post("/v1/jobs/dead/redrive", json=wish),
        await operator.call("DELETE", f"/v1/jobs/dead?{query}"),
    ]

    assert [answer.status for answer in answers] == [422, 422]
    assert await gateway.count("dead_jobs") == 1


async def test_recurring_jobs_are_listed_the_next_to_come_first(gateway, operator):
    """With their rhythm, in pages; by type."""
    await gateway.rows(
        "INSERT INTO recurring_jobs (name, type, payload, every_ms, next_due_at) "
        "SELECT 'job ' || n, 'health:check', '{}', 900000, now() + random() * interval '1 hour' "
        "FROM generate_series(1, 3) AS n"
    )

    first = (await operator.get("/v1/jobs/recurring?limit=2")).body
    second = (await operator.get(f"/v1/jobs/recurring?limit=2&cursor={first['pagination']['next_cursor']}")).body
    none = (await operator.get("/v1/jobs/recurring?type=cleanup:old_jobs")).body

    listed = [*first["data"], *second["data"]]
    names = await gateway.rows("SELECT name FROM recurring_jobs ORDER BY next_due_at")
    assert [job["name"] for job in listed] == [row["name"] for row in names]
    assert (listed[0]["type"], listed[0]["every_ms"], listed[0]["cron"]) == ("health:check", 900_000, None)
    assert none["data"] == []
