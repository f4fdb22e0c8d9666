"""Scores of accounts that are out of the ordinary: busy, broken, removed, of another time; and their alerts."""

from services.health.rescore import rescore
from tests.judged import open_world


async def test_a_busy_account_is_judged_by_one_stretch_of_time(world):
    """Of both outcomes the newest hundred are read: failures from before the hundredth success do not count alone."""
    await world.pool.execute(
        """
        INSERT INTO publications (id, user_id, account_id, post_id, state, priority, publish_at, next_attempt_at,
                                  rescue_at, max_attempts, published_at, error, updated_at)
        SELECT gen_random_uuid(), $1, $2, $3, outcome, 3, at, now(), now(), 3,
               CASE outcome WHEN 'published' THEN at END,
               CASE outcome WHEN 'failed' THEN '{"class": "throttled", "code": 17}'::jsonb END, at
        FROM generate_series(0, 999) AS n
        CROSS JOIN LATERAL (
            SELECT now() - (n + 1) * interval '20 minutes' AS at,
                   CASE WHEN n % 20 = 7 THEN 'failed' ELSE 'published' END AS outcome
        ) AS known
        """,
        world.tenant.user_id,
        world.account_id,
        world.tenant.post_id,
    )

    evidence = await world.evidence()

    assert (len(evidence.published_days), len(evidence.failures)) == (100, 5)


async def test_what_comes_from_the_future_is_of_now(world):
    """A clock that was wrong and was set back weighs nothing up beyond measure."""
    await world.add("published", age_days=-30_000)
    await world.add("failed", age_days=-30_000, fault={"class": "reauth", "code": 190})

    evidence = await world.evidence()

    assert evidence.published_days == [0.0]
    assert [fault.age_days for fault in (*evidence.failures, *evidence.errors)] == [0.0, 0.0]


async def test_an_account_that_cannot_be_judged_keeps_no_other_from_it(database_url, redis_url):
    """What is stored of one breaks its judgement; all others of the batch are judged."""
    async with open_world(database_url, redis_url, accounts=9) as world:
        await world.add("failed", fault={"class": "fix_content", "code": "no number"})

        judged = await rescore(world.clinic, world.tenant.account_ids)

        assert (judged, await world.pool.fetchval("SELECT count(*) FROM health_scores")) == (8, 8)
        assert await world.score() is None


async def test_of_an_account_that_was_removed_nothing_is_left_to_do(world):
    """Its score goes, and its alert is resolved."""
    await world.change("UPDATE accounts SET state = 'NEEDS_REAUTH' WHERE id = $1")
    await world.judge()
    await world.change("UPDATE accounts SET removed_at = now() WHERE id = $1")

    assert await world.judge() is None
    assert [tuple(row) for row in await world.pool.fetch("SELECT code, state FROM alerts")] == [
        ("health_low", "resolved")
    ]


async def test_an_alert_that_a_person_resolved_comes_again_while_it_is_so(world):
    """And the step from at risk to critical is told, though both are critical to a person."""
    await world.add("published", times=12, age_days=0.1)
    await world.add("failed", times=12, age_days=0.2, fault={"class": "reauth", "code": 190})
    await world.judge()
    await world.pool.execute("UPDATE alerts SET state = 'resolved', resolved_at = now()")
    await world.pass_time(601)
    await world.judge()
    again = await world.pool.fetch("SELECT severity, stage FROM alerts WHERE state = 'open'")
    await world.pool.execute("UPDATE alerts SET state = 'acknowledged' WHERE state = 'open'")
    await world.change("UPDATE accounts SET state = 'NEEDS_REAUTH' WHERE id = $1")
    await world.judge()

    [alert] = await world.pool.fetch("SELECT severity, stage, state FROM alerts WHERE state <> 'resolved'")
    assert [tuple(row) for row in again] == [("critical", 0)]
    assert tuple(alert) == ("critical", 1, "open")
