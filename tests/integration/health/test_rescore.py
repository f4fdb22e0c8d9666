"""Scores of many accounts on real servers: what is read, stored, told, and let take effect."""

import asyncio
import json

import pytest
from uuid_utils.compat import uuid7

from services.health.rescore import Clinic, rescore
from services.health.settle_rises import settle_rises_once
from shared.cache import CacheNamespace, open_cache
from shared.database import create_pool
from tests.seeds import seed_tenant


async def test_an_account_of_which_little_is_known_is_provisional(world):
    """A token, and no publications: it is said how little that is, and history begins."""
    score = await world.judge()

    assert (score["score"], score["band"], score["confidence"], score["formula_version"]) == (97, "provisional", 0, 2)
    assert json.loads(score["components"]) == {"access": 100.0, "publishing": 94.1, "errors": 100.0}
    assert json.loads(score["weights"]) == {"access": 0.4, "publishing": 0.4, "errors": 0.2}
    assert (json.loads(score["gates"]), json.loads(score["reasons"]), score["exposure"]) == ({}, [], 1)
    assert await world.pool.fetchval("SELECT count(*) FROM health_history") == 1
    assert await world.events("account.health_changed") == []


async def test_the_evidence_is_what_the_rows_say(world):
    """Outcomes, refusals, unknown ones, quota, token, what is due: each from its own rows."""
    await world.add("published", times=3, age_days=2)
    await world.add("published", age_days=15)
    await world.add("failed", age_days=1, fault={"class": "fix_content", "code": 36003, "subcode": 2207009})
    await world.add("held", fault={"class": "throttled", "code": 17, "subcode": None})
    await world.add("outcome_unknown", age_days=0.5)
    await world.change("UPDATE accounts SET quota_total = 50 WHERE id = $1")
    await world.change(
        """
        INSERT INTO health_checks (account_id, user_id, checked_at, finding, quota_used, usage_percent)
        SELECT id, user_id, now(), 'ok', 30, 20 FROM accounts WHERE id = $1
        """
    )
    await world.change(
        "UPDATE account_tokens SET refresh_failures = 2, obtained_at = now() - interval '1 day', scopes = $2"
        " WHERE account_id = $1",
        ["instagram_business_basic", "instagram_business_content_publish", "instagram_business_manage_insights"],
    )

    evidence = await world.evidence()

    assert [round(days) for days in evidence.published_days] == [2, 2, 2]
    assert [(fault.error_class, fault.code, fault.subcode) for fault in evidence.failures] == [
        ("fix_content", 36003, 2207009)
    ]
    assert [(round(fault.age_days), fault.error_class) for fault in evidence.errors] == [
        (0, "throttled"),
        (1, "fix_content"),
    ]
    assert (evidence.unresolved, evidence.used_share, evidence.refresh_failures) == (1, 0.6, 2)
    assert (evidence.missing_scopes, evidence.publish_scope_lost, evidence.token_dead) == (1, False, False)
    assert evidence.token_days_left == pytest.approx(50, abs=0.01)
    assert (evidence.engagement_ratio, evidence.follower_growth) == (None, None)


async def test_trends_need_enough_numbers(world):
    """Fourteen days of followers and five posts on either side; fewer say nothing."""
    await world.pool.execute(
        """
        INSERT INTO analytics_snapshots (id, user_id, account_id, source, window_to, metrics)
        SELECT gen_random_uuid(), $1, $2, 'profile', now() - day * interval '1 day',
               jsonb_build_object('followers_count', 1000 - 10 * day)
        FROM generate_series(0, 13) AS day
        """,
        world.tenant.user_id,
        world.account_id,
    )
    for age_days in (*range(3, 8), *range(20, 25)):
        await world.add("published", age_days=age_days)
    await world.pool.execute(
        """
        INSERT INTO analytics_snapshots (id, user_id, account_id, publication_id, source, window_to, due_age_s, metrics)
        SELECT gen_random_uuid(), user_id, account_id, id, 'media_insights', now(), age_s,
               jsonb_build_object('reach', 1000, 'total_interactions',
                                  CASE WHEN age_s = 1 THEN 999 WHEN published_at > now() - interval '14 days' THEN 30
                                       ELSE 60 END)
        FROM publications CROSS JOIN (VALUES (1), (86400)) AS ages (age_s)
        """
    )

    known = await world.evidence()
    await world.pool.execute("DELETE FROM analytics_snapshots WHERE until_day = (now() AT TIME ZONE 'UTC')::date")
    fewer = await world.evidence()

    assert known.engagement_ratio == pytest.approx(0.5)
    assert known.follower_growth == pytest.approx(1000 / 870 - 1)
    assert (fewer.engagement_ratio, fewer.follower_growth) == (None, None)


async def test_what_an_incident_did_is_held_against_nobody(world):
    """From a quarter of an hour before it was opened; a failure of another class counts all the same."""
    await world.pool.execute(
        """
        INSERT INTO incidents (id, error_class, accounts, share, user_ids, opened_at, paused_until, closed_at)
        VALUES (gen_random_uuid(), 'reauth', 9, 1, '{}', now() - interval '50 minutes', now(), now() - interval '5 min')
        """
    )
    await world.add("failed", age_days=1 / 24, fault={"class": "reauth", "code": 190})
    await world.add("failed", age_days=1 / 24, fault={"class": "fix_content", "code": 36003})
    await world.add("failed", age_days=2 / 24, fault={"class": "reauth", "code": 190})

    evidence = await world.evidence()

    assert [fault.error_class for fault in evidence.failures] == ["fix_content", "reauth"]
    assert [fault.error_class for fault in evidence.errors] == ["fix_content", "reauth"]


@pytest.mark.parametrize(
    ("state", "finding", "fault", "gates"),
    [
        ("ACTIVE", "ok", None, {}),
        ("ACTIVE", "reauth", None, {"token_dead": 10}),
        ("ACTIVE", "other_account", None, {"token_dead": 10}),
        ("ACTIVE", "checkpoint", None, {"checkpoint": 15}),
        ("ACTIVE", "permission", None, {"publish_scope_lost": 20}),
        ("NEEDS_REAUTH", "ok", {"class": "reauth", "code": 190}, {"token_dead": 10}),
        ("NEEDS_REAUTH", "ok", {"class": "reauth", "code": 200}, {"publish_scope_lost": 20}),
        ("RESTRICTED", "ok", {"class": "restricted", "code": 25, "subcode": 2207050}, {"restricted": 25}),
        (
            "RESTRICTED",
            "ok",
            {"class": "restricted", "code": 190, "subcode": 459},
            {"checkpoint": 15, "restricted": 25},
        ),
        ("ACTIVE", "ok", {"class": "restricted", "code": 368}, {"policy_block": 30}),
        ("ACTIVE", "ok", {"class": "spam_suspected", "code": 4, "subcode": 2207051}, {"spam_suspected": 40}),
    ],
)
async def test_states_and_findings_close_the_gate_that_fits(world, state, finding, fault, gates):
    """What the platform said last, and with which number, decides which gate is closed."""
    await world.add("held", fault=fault)
    await world.change("UPDATE accounts SET state = $2 WHERE id = $1", state)
    await world.change(
        """
        INSERT INTO health_checks (account_id, user_id, checked_at, finding)
        SELECT id, user_id, now(), $2 FROM accounts WHERE id = $1
        """,
        finding,
    )

    score = await world.judge()

    assert json.loads(score["gates"]) == gates
    assert await world.pool.fetchval("SELECT caution FROM accounts") == (
        {"critical": "held", "at_risk": "halved"}.get(score["band"], "none")
    )


async def test_a_finding_of_an_older_token_says_nothing_of_the_newer(world):
    """Whoever connected again is not judged by what was refused before."""
    await world.change(
        """
        INSERT INTO health_checks (account_id, user_id, checked_at, finding)
        SELECT id, user_id, now() - interval '1 hour', 'reauth' FROM accounts WHERE id = $1
        """
    )

    assert json.loads((await world.judge())["gates"]) == {}


async def test_a_fall_is_told_at_once_and_a_rise_when_it_has_lasted(world):
    """Band, caution, alert and event go down together, and come up together a quarter of an hour after the evidence."""
    await world.add("published", times=12, age_days=0.1)
    await world.judge()
    await world.add("failed", times=12, age_days=0.2, fault={"class": "reauth", "code": 190})
    fallen = await world.judge()
    cautious = await world.pool.fetchval("SELECT caution FROM accounts")
    alert = await world.pool.fetchrow("SELECT code, severity, state, subject_id, text FROM alerts")
    await world.pool.execute("DELETE FROM publications WHERE state = 'failed'")
    rising = await world.judge()
    await world.pass_time(600)
    within = await world.judge()
    await world.pass_time(301)
    await settle_rises_once(world.clinic)
    risen = await world.score()

    assert (fallen["score"], fallen["band"], cautious) == (30, "at_risk", "halved")
    assert (alert["code"], alert["severity"], alert["state"]) == ("health_low", "critical", "open")
    assert (alert["subject_id"], alert["text"][:37]) == (world.account_id, "Its health is at risk: 30 of 100. The")
    assert (rising["score"], rising["band"], rising["rising_band"]) == (99, "at_risk", "healthy")
    assert within["band"] == "at_risk"
    assert (risen["band"], risen["rising_band"], risen["rising_since"]) == ("healthy", None, None)
    assert await world.pool.fetchval("SELECT state FROM alerts") == "resolved"
    assert await world.pool.fetchval("SELECT caution FROM accounts") == "none"
    told = [event["band"] for event in await world.events("account.health_changed")]
    assert told == ["healthy", "at_risk", "healthy"]


async def test_what_a_gate_brought_about_ends_when_evidence_opens_it(world):
    """Whoever has a token again need not wait; both moves are told, with their gates and reasons."""
    await world.add("published", times=12, age_days=0.1)
    await world.change("UPDATE accounts SET state = 'NEEDS_REAUTH' WHERE id = $1")
    closed = await world.judge()
    held = await world.pool.fetchval("SELECT caution FROM accounts")
    await world.change("UPDATE accounts SET state = 'ACTIVE' WHERE id = $1")
    opened = await world.judge()

    assert (closed["score"], closed["band"], held) == (10, "critical", "held")
    assert (opened["band"], await world.pool.fetchval("SELECT caution FROM accounts")) == ("healthy", "none")
    first, second = await world.events("account.health_changed")
    assert (first["score"], first["band"], first["gates"]) == (10, "critical", {"token_dead": 10})
    assert first["reasons"][0]["code"] == "token_dead"
    assert (second["band"], second["gates"]) == ("healthy", {})


async def test_history_has_a_line_where_something_moved_or_a_day_went_by(world):
    """Three points, another band, another gate, or 24 hours: nothing else."""
    await world.judge()
    await world.pass_time(1000)
    await world.judge()
    same = await world.pool.fetchval("SELECT count(*) FROM health_history")
    await world.pool.execute("UPDATE health_history SET computed_at = computed_at - interval '25 hours'")
    await world.pass_time(1000)
    await world.judge()
    next_day = await world.pool.fetchval("SELECT count(*) FROM health_history")
    await world.change("UPDATE accounts SET token_expires_at = now() + interval '12 days' WHERE id = $1")
    await world.judge()

    assert (same, next_day) == (1, 2)
    lines = await world.pool.fetch("SELECT score, formula_version FROM health_history ORDER BY computed_at")
    assert [line["score"] for line in lines] == [97, 97, 93]


async def test_a_score_that_stays_is_not_written_again_within_minutes(world):
    """However many events come: only what is news costs a write."""
    first = await world.judge()
    again = await world.judge()
    await world.pass_time(601)
    old = await world.score()
    renewed = await world.judge()

    assert again["computed_at"] == first["computed_at"]
    assert renewed["computed_at"] > old["computed_at"]


async def test_what_is_cached_of_a_score_that_changed_is_void(world):
    """The next read shows the new one."""
    key = world.clinic.cache.key(CacheNamespace.HEALTH, world.tenant.user_id, world.account_id)
    await world.judge()
    await world.clinic.cache.set(key, "old", 60)
    await world.judge()
    kept = await world.clinic.cache.get(key)
    await world.change("UPDATE accounts SET state = 'RESTRICTED' WHERE id = $1")
    await world.judge()

    assert kept == "old"
    assert await world.clinic.cache.get(key) is None


async def test_removed_accounts_have_no_score(world):
    """Neither a new one, nor one that was stored while the account was removed."""
    await world.judge()
    await world.change("UPDATE accounts SET removed_at = now(), state = 'DISCONNECTED' WHERE id = $1")

    judged = await rescore(world.clinic, [world.account_id, uuid7()])

    assert judged == 0
    assert await world.score() is None


async def test_judging_the_same_accounts_at_once_tells_of_each_change_once(database_url, redis_url):
    """Whoever comes second sees what the first has stored."""
    async with await create_pool(database_url, application_name="test") as pool, open_cache(redis_url) as cache:
        tenant = await seed_tenant(pool, instagram=[(f"1784140000000{n:04}", "token") for n in range(30)])
        clinic = Clinic(pool=pool, cache=cache, rescue_after_s=60.0)
        await pool.execute("UPDATE accounts SET state = 'RESTRICTED'")

        await asyncio.gather(*(rescore(clinic, tenant.account_ids) for _ in range(4)))

        assert await pool.fetchval("SELECT count(*) FROM health_scores WHERE band = 'at_risk'") == 30
        assert await pool.fetchval("SELECT count(*) FROM events WHERE type = 'account.health_changed'") == 30
        assert await pool.fetchval("SELECT count(*) FROM health_history") == 30
        assert await pool.fetchval("SELECT count(*) FROM alerts WHERE count = 1") == 30
