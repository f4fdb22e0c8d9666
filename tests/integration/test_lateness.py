"""What becomes too late is missed: by the database's clock, from `publish_at` on, whatever the reason."""

from datetime import timedelta

import pytest

from services.scheduler.mark_missed import give_up_unseen_once, mark_missed_once
from shared.database import create_pool
from shared.publications import DEFAULT_MAX_LATENESS_S, claim
from tests.seeds import seed_publications, seed_tenant


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


async def test_what_is_too_late_is_missed_aloud_and_its_message_withdrawn(pool):
    """Never silently dropped, never burst out later."""
    tenant = await seed_tenant(pool)
    [late] = await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=50)
    [fine] = await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=500)
    [never] = await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=None)

    await mark_missed_once(pool)

    states = {row["id"]: row["state"] for row in await pool.fetch("SELECT id, state FROM publications")}
    events = await pool.fetch("SELECT type, subject FROM events")
    waiting = await pool.fetch("SELECT subject FROM outbox WHERE type = 'post:publish'")
    assert states == {late: "missed", fine: "scheduled", never: "scheduled"}
    assert [tuple(event) for event in events] == [("publication.missed", str(late))]
    assert {row["subject"] for row in waiting} == {str(fine), str(never)}


async def test_a_deferral_beyond_the_last_moment_is_a_miss_with_its_reason(pool):
    """Nobody waits for a wait that cannot help."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant, due_in_s=-1, max_lateness_s=600)
    await pool.execute("UPDATE publications SET next_attempt_at = now() + interval '30 minutes', reason = 'quota'")

    await mark_missed_once(pool)

    row = await pool.fetchrow("SELECT state, reason FROM publications WHERE id = $1", publication_id)
    assert tuple(row) == ("missed", "quota")


@pytest.mark.parametrize("step", ["children_created", "container_created"])
async def test_a_row_past_its_first_step_is_exempt_while_its_container_lives(pool, step):
    """The platform has the media; one more call may finish it."""
    tenant = await seed_tenant(pool)
    await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=50)
    await pool.execute("UPDATE publications SET step = $1, container_id = '1', container_created_at = now()", step)

    await mark_missed_once(pool)
    alive = await pool.fetchval("SELECT state FROM publications")
    await pool.execute("UPDATE publications SET container_created_at = now() - interval '25 hours'")
    await mark_missed_once(pool)

    assert alive == "scheduled"
    assert await pool.fetchval("SELECT state FROM publications") == "missed"


async def test_a_row_whose_publish_call_was_sent_is_never_missed(pool):
    """It may be live; only a look at the platform can tell."""
    tenant = await seed_tenant(pool)
    await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=50)
    await pool.execute(
        """
        UPDATE publications SET step = 'publish_sent', container_id = '1', publish_sends = 1,
            container_created_at = now() - interval '2 days', publish_sent_at = now() - interval '2 days'
        """
    )

    await mark_missed_once(pool)

    assert await pool.fetchval("SELECT state FROM publications") == "scheduled"


@pytest.mark.parametrize(("hours", "state"), [(23, "held"), (25, "outcome_unknown")])
async def test_a_sent_call_that_nobody_could_look_up_for_a_day_is_given_to_a_person(pool, hours, state):
    """Its account may never come back, and what is held can neither be canceled nor resolved."""
    await seed_publications(pool, await seed_tenant(pool), due_in_s=-30 * 3600)
    await pool.execute(
        """
        UPDATE publications SET state = 'held', reason = 'reauth_required', step = 'publish_sent', container_id = '1',
            publish_sends = 1, publish_sent_at = now() - $1::interval
        """,
        timedelta(hours=hours),
    )

    await give_up_unseen_once(pool)

    assert await pool.fetchval("SELECT state FROM publications") == state


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        ("scheduled", None, "too_late"),
        ("scheduled", "quota", "quota"),
        ("scheduled", "platform_down", "platform_down"),
        ("scheduled", "health_cap", "health_cap"),
        ("held", "account_paused", "account_paused"),
        ("held", "health_critical", "health_critical"),
        ("held", "distribution_paused", "distribution_paused"),
        ("scheduled", "released", "too_late"),
        ("scheduled", "platform_back", "too_late"),
        ("scheduled", "retried_by_user", "too_late"),
        ("scheduled", "rescheduled_by_user", "too_late"),
    ],
)
async def test_lateness_counts_from_publish_at_whatever_the_reason(pool, state, reason, told):
    """However often it was put off or held meanwhile; the cause is told, and a word of going on is none."""
    await seed_publications(pool, await seed_tenant(pool), due_in_s=-100, max_lateness_s=50)
    await pool.execute(
        "UPDATE publications SET state = $1, reason = $2, next_attempt_at = now(), updated_at = now()", state, reason
    )

    await mark_missed_once(pool)

    row = await pool.fetchrow("SELECT state, reason FROM publications")
    assert tuple(row) == ("missed", told)


@pytest.mark.parametrize("state", ["scheduled", "held"])
async def test_without_a_last_moment_nothing_is_ever_missed(pool, state):
    """Null means never, however long it waits and for whatever."""
    await seed_publications(pool, await seed_tenant(pool), due_in_s=-400 * 86_400, max_lateness_s=None)
    await pool.execute(
        "UPDATE publications SET state = $1, reason = 'quota', next_attempt_at = now() + interval '1 day'", state
    )

    await mark_missed_once(pool)

    assert await pool.fetchval("SELECT state FROM publications") == state


async def test_what_a_worker_has_is_not_missed_under_its_hands(pool):
    """It was claimed in time; its worker, or who takes over after it, ends it."""
    [publication_id] = await seed_publications(pool, await seed_tenant(pool), max_lateness_s=50)
    async with pool.acquire() as connection, connection.transaction():
        await claim(connection, publication_id, revision=1, worker="w", lease_s=20.0)
    await pool.execute("UPDATE publications SET publish_at = now() - interval '1 hour', lease_until = now()")

    await mark_missed_once(pool)

    assert await pool.fetchval("SELECT state FROM publications") == "publishing"


async def test_many_that_are_too_late_are_missed_together(pool):
    """Each tenant's and each cause's own, one event for each."""
    instagram = [(f"178414000000{number:05}", f"token-of-{number}") for number in range(6)]
    ours, theirs = [await seed_tenant(pool, instagram=part) for part in (instagram[:4], instagram[4:])]
    for tenant in (ours, theirs):
        await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=50)
    await pool.execute("UPDATE publications SET reason = 'quota' WHERE account_id = $1", ours.account_ids[0])

    await mark_missed_once(pool)

    rows = await pool.fetch("SELECT user_id, reason, count(*) FROM publications WHERE state = 'missed' GROUP BY 1, 2")
    assert {(row["user_id"], row["reason"], row["count"]) for row in rows} == {
        (ours.user_id, "quota", 1),
        (ours.user_id, "too_late", 3),
        (theirs.user_id, "too_late", 2),
    }
    assert await pool.fetchval("SELECT count(*) FROM events WHERE type = 'publication.missed'") == 6


def test_six_hours_are_the_default():
    """What its maker says nothing about is missed after that."""
    assert DEFAULT_MAX_LATENESS_S == 6 * 3600
