"""What an account's health allows is asked at the claim, under the account's lock, and again at each release."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from services.health.effects import Judged, apply_effects
from shared.accounts import AccountState, Owner, transition_account
from shared.publications import Refused, claim, release_held
from tests.seeds import seed_publications
from tests.waiting import until

_DAY = timedelta(hours=24)


@asynccontextmanager
async def transaction(stage):
    async with stage.pool.acquire() as connection, connection.transaction():
        yield connection


async def judge(stage, band):
    """The health service finds the account in this band."""
    judged = [Judged(user_id=stage.tenant.user_id, account_id=stage.tenant.account_ids[0], band=band)]
    async with transaction(stage) as tx:
        await apply_effects(tx, judged, rescue_after_s=60)


async def waive(stage, length):
    await stage.pool.execute("UPDATE accounts SET caution_waived_until = now() + $1::text::interval", length)


async def release(stage, tx):
    return await release_held(
        tx, user_id=stage.tenant.user_id, account_id=stage.tenant.account_ids[0], rescue_after_s=60
    )


async def standing(stage):
    row = await stage.row()
    return row["state"], row["reason"]


async def run_another(stage):
    """Another publication of the same account, and one delivery of its message."""
    [stage.publication_id] = await seed_publications(stage.pool, stage.tenant)
    await stage.run()
    return await stage.row()


async def test_a_critical_account_holds_its_publications_until_evidence_clears_it(stage):
    """Held at the claim at no cost of an attempt, with the reason; released and published once it is better."""
    await judge(stage, "critical")
    await stage.run()
    held = await stage.row()
    await judge(stage, "watch")
    released = await standing(stage)
    await stage.run_when_due()

    assert (held["state"], held["reason"], held["attempt"]) == ("held", "health_critical", 0)
    assert released == ("scheduled", "released")
    assert await standing(stage) == ("published", None)
    assert len(await stage.live()) == 1


@pytest.mark.parametrize(
    ("close", "reason"),
    [
        ("UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE'", "account_paused"),
        (
            """
            WITH down AS (
                INSERT INTO proxies (id, user_id, name, scheme, host, port, state)
                SELECT gen_random_uuid(), id, 'way', 'http', '127.0.0.1', 1, 'down' FROM users
                RETURNING id
            )
            UPDATE accounts SET proxy_id = (SELECT id FROM down)
            """,
            "egress_down",
        ),
        (
            """
            WITH paused AS (
                INSERT INTO distributions (id, user_id, post_id, window_from, window_to, min_gap_s, seed, paused_at)
                SELECT gen_random_uuid(), user_id, id, now(), now(), 0, 1, now() FROM posts
                RETURNING id
            )
            UPDATE publications SET distribution_id = (SELECT id FROM paused)
            """,
            "distribution_paused",
        ),
    ],
)
async def test_what_another_gate_holds_stays_held_and_says_so(stage, close, reason):
    """Better health opens one gate; the row tells of the one that is still closed."""
    await judge(stage, "critical")
    await stage.run()
    await stage.pool.execute(close)
    await judge(stage, "healthy")

    assert await standing(stage) == ("held", reason)


async def test_a_resumed_account_that_is_critical_stays_held_for_that(stage):
    """Whoever opens another gate finds this one closed, and the row says which."""
    await stage.pool.execute("UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE'")
    await stage.run()
    await judge(stage, "critical")
    await stage.pool.execute("UPDATE accounts SET state = 'ACTIVE', paused_from = NULL")
    async with transaction(stage) as tx:
        released = await release(stage, tx)

    assert released == 0
    assert await standing(stage) == ("held", "health_critical")


async def test_what_was_sent_is_found_out_however_bad_the_health_is(stage):
    """A post that may be live is looked up, and told as what it is; a release lets it through too."""
    await stage.run()
    await stage.pool.execute(
        "UPDATE publications SET state = 'held', reason = 'account_paused', media_id = NULL, published_at = NULL"
    )
    await judge(stage, "critical")
    async with transaction(stage) as tx:
        released = await release(stage, tx)
    await stage.run_when_due()

    assert released == 1
    assert (await standing(stage))[0] == "published"
    assert len(await stage.calls("media_publish")) == 1


async def test_what_was_sent_without_effect_is_not_sent_again_before_the_health_is_better(stage):
    """Looking is allowed, another publish call is not: it is held with the container that it has."""
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)
    await stage.run()
    await judge(stage, "critical")
    await stage.long_ago()
    await stage.run_when_due()
    await stage.run_when_due()
    held, calls = await stage.row(), len(await stage.calls("media_publish"))
    await judge(stage, "healthy")
    await stage.run_when_due()

    assert (held["state"], held["reason"], held["step"]) == ("held", "health_critical", "container_created")
    assert calls == 1
    assert (await standing(stage))[0] == "published"
    assert len(await stage.calls("create_container")) == len(await stage.live()) == 1


async def test_a_waiver_lets_a_critical_account_publish_until_it_ends(stage):
    """Claims read the clock: nothing needs to run when the waiver is over."""
    await judge(stage, "critical")
    await waive(stage, "1 hour")
    await stage.run()
    waived = await standing(stage)
    await waive(stage, "-1 second")
    over = await run_another(stage)

    assert waived == ("published", None)
    assert (over["state"], over["reason"]) == ("held", "health_critical")


async def test_a_release_that_comes_while_a_claim_holds_finds_what_it_held(stage):
    """Both take the account's lock: nothing stays behind in an open gate."""
    await judge(stage, "critical")
    async with transaction(stage) as tx:
        refused = await claim(tx, stage.publication_id, revision=1, worker="w1", lease_s=20)
        assert isinstance(refused, Refused)
        assert refused.unfit is not None
        better = asyncio.create_task(judge(stage, "watch"))
        await until(lambda: _somebody_waits(stage), what="the release waits for the account")
        await tx.execute("UPDATE publications SET state = 'held', reason = $1", refused.unfit.reason)
    await better

    assert refused.unfit.reason == "health_critical"
    assert await standing(stage) == ("scheduled", "released")


async def test_a_claim_that_comes_while_health_is_judged_does_not_pass_it(stage):
    """While the account's row is locked no claim is granted; after it, the gate is closed."""
    judged = [Judged(user_id=stage.tenant.user_id, account_id=stage.tenant.account_ids[0], band="critical")]
    async with transaction(stage) as tx:
        await apply_effects(tx, judged, rescue_after_s=60)
        await stage.run()
        meanwhile = await standing(stage)
    await stage.run_when_due()

    assert meanwhile == ("scheduled", None)
    assert await standing(stage) == ("held", "health_critical")
    assert await stage.live() == []


async def test_an_account_at_risk_publishes_half_of_what_the_platform_allows(stage):
    """In any 24 hours; beyond it a publication waits for the moment at which the window has room, at no cost."""
    await stage.pool.execute("UPDATE accounts SET quota_total = 5")
    await judge(stage, "at_risk")
    await stage.run()
    first = (await stage.row())["published_at"]
    second = await run_another(stage)
    third = await run_another(stage)

    assert second["state"] == "published"
    assert (third["state"], third["reason"], third["attempt"]) == ("scheduled", "health_cap", 0)
    assert third["next_attempt_at"] == first + _DAY


async def test_a_publish_call_of_unknown_effect_counts_against_the_half(stage):
    """It may be live."""
    await stage.pool.execute("UPDATE accounts SET quota_total = 2")
    await judge(stage, "at_risk")
    await stage.pool.execute(
        "UPDATE publications SET state = 'outcome_unknown', step = 'publish_sent', container_id = '1', "
        "publish_sent_at = now() - interval '1 hour'"
    )
    sent_at = (await stage.row())["publish_sent_at"]
    row = await run_another(stage)

    assert (row["reason"], row["next_attempt_at"]) == ("health_cap", sent_at + _DAY)


@pytest.mark.parametrize("better", ["healthy", "provisional"])
async def test_what_waits_for_the_half_goes_on_when_the_account_is_better(stage, better):
    """Now, with the message that brings it, not at the end of a wait that has lost its reason."""
    await stage.pool.execute("UPDATE accounts SET quota_total = 1")
    await judge(stage, "at_risk")
    await stage.run()
    waiting = await run_another(stage)
    await judge(stage, better)
    going = await stage.row()
    due_at = await stage.pool.fetchval("SELECT due_at FROM outbox WHERE subject = $1", str(stage.publication_id))
    await stage.run()

    assert waiting["reason"] == "health_cap"
    assert going["reason"] == "released"
    assert going["next_attempt_at"] == due_at < waiting["next_attempt_at"]
    assert (await stage.row())["state"] == "published"


async def test_an_account_at_risk_without_a_known_quota_has_no_cap(stage):
    """Nothing is invented that the platform never said."""
    await judge(stage, "at_risk")
    await stage.run()

    assert (await run_another(stage))["state"] == "published"


async def test_a_warm_up_of_an_account_at_risk_allows_half_a_day(stage):
    """The reason names what is in the way: its health, and not the protocol."""
    await stage.pool.execute("INSERT INTO warmup_protocols VALUES ('test', 'Test', 'For tests.', '{2}', 0, 1.0)")
    await stage.pool.execute("UPDATE accounts SET protocol_id = 'test', state = 'NEW'")
    await judge(stage, "at_risk")
    await stage.run()
    halved = await run_another(stage)
    await waive(stage, "1 hour")
    await stage.run_when_due()
    whole = await run_another(stage)

    assert (halved["state"], halved["reason"]) == ("scheduled", "health_cap")
    assert (whole["state"], whole["reason"]) == ("scheduled", "warmup_cap")
    assert len(await stage.live()) == 2


async def test_an_account_that_needs_its_owner_is_held_for_that_first(stage):
    """Of several closed gates the row names the one that a person must open."""
    await judge(stage, "critical")
    async with transaction(stage) as tx:
        await transition_account(
            tx,
            stage.tenant.account_ids[0],
            user_id=stage.tenant.user_id,
            target=AccountState.NEEDS_REAUTH,
            owner=Owner.HEALTH,
            reason="token_expired",
        )
    await stage.run()

    assert await standing(stage) == ("held", "reauth_required")


async def _somebody_waits(stage):
    return await stage.pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") > 0
