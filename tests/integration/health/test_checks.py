"""Looks at accounts on real servers: what the platform says is kept, in the rhythm that it calls for."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from services.health.check_accounts import look_at
from services.health.checks import take_due
from services.health.observe_checks import observe_checks_once
from shared.accounts import AccountState, Owner, plan_checks, transition_account
from shared.instagram import GraphAccount
from tests.gates import UNCLEAR, throttled
from tests.waiting import until

HOUR_S = 3_600


def counted(finding):
    return REGISTRY.get_sample_value("instadistro_health_checks_total", {"finding": finding}) or 0


async def test_a_look_keeps_what_the_platform_said(clinic):
    """Profile, quota and usage are stored, the account is judged, and the next look is hours away."""
    before = counted("ok")

    swept = await clinic.sweep()

    row = await clinic.row()
    assert swept is None
    assert (row["finding"], row["unanswered"], row["state"]) == ("ok", 0, "ACTIVE")
    assert (row["quota_used"], row["quota_total"]) == (0, 100)
    assert row["checked_at"] is not None
    assert None not in {row["usage_percent"], row["followers_count"], row["media_count"]}
    assert row["band"] is not None
    assert 3 * HOUR_S - 60 < row["ask_s"] < 9 * HOUR_S + 60
    assert 0 < row["next_s"] < 1.5 * HOUR_S + 60
    assert counted("ok") == before + 1


async def test_between_two_questions_an_account_is_judged_without_a_call(clinic):
    """A score fades by itself; for that nobody is asked."""
    await clinic.sweep()
    asked = await clinic.asked()
    await clinic.come_due(asks=False)
    await clinic.pool.execute("UPDATE health_scores SET computed_at = computed_at - interval '2 hours'")

    await clinic.sweep()

    row = await clinic.row()
    assert await clinic.asked() == asked
    assert await clinic.pool.fetchval("SELECT computed_at > now() - interval '1 hour' FROM health_scores")
    assert 0 < row["next_s"] < 1.5 * HOUR_S + 60
    assert row["ask_s"] > 2 * HOUR_S


@pytest.mark.parametrize(
    ("code", "subcode", "finding"),
    [(190, 460, "reauth"), (190, 459, "checkpoint"), (10, None, "permission"), (25, 2207050, "checkpoint")],
)
async def test_a_refusal_is_kept_as_what_it_is(clinic, code, subcode, finding):
    """One refusal moves no account."""
    await clinic.fail(code, subcode)

    await clinic.sweep()

    row = await clinic.row()
    assert (row["finding"], row["state"], row["quota_used"]) == (finding, "ACTIVE", None)


async def test_a_token_of_another_account_is_found_out(clinic):
    """The platform says whose token it is."""
    await clinic.pool.execute("UPDATE accounts SET instagram_user_id = '17841400000000099'")

    await clinic.sweep()

    assert (await clinic.row())["finding"] == "other_account"


@pytest.mark.parametrize(
    "fault",
    [{"kind": "html_502"}, {"kind": "throttle", "seconds": 60}, {"kind": "error", "code": 2}],
    ids=["a gateway's page", "a throttle", "a failure"],
)
async def test_no_answer_proves_nothing_against_an_account(clinic, fault):
    """What was found before stays; silence is counted, and asked after with patience."""
    await clinic.sweep()
    await clinic.come_due()
    await clinic.emulator.fault(endpoint="get_account", times=1, **fault)

    await clinic.sweep()

    row = await clinic.row()
    assert (row["finding"], row["unanswered"], row["state"]) == ("ok", 1, "ACTIVE")
    assert 0.85 * 300 < row["ask_s"] < 1.15 * 300


async def test_a_quota_that_cannot_be_read_fails_no_check(clinic):
    """What the platform did not say is unknown, and the rest is known."""
    await clinic.emulator.fault(endpoint="content_publishing_limit", kind="html_502", times=1)

    await clinic.sweep()

    row = await clinic.row()
    assert (row["finding"], row["unanswered"], row["quota_used"]) == ("ok", 0, None)


async def test_an_answer_to_an_old_token_is_dropped(clinic):
    """The owner gives another token while the platform is asked: it is asked again, with that one."""
    [taken] = await take(clinic)
    async with clinic.pool.acquire() as connection, connection.transaction():
        await plan_checks(connection, clinic.tenant.account_ids, user_id=clinic.tenant.user_id)
    await clinic.fail(190)

    await look_at(clinic.surgery, [taken])

    row = await clinic.row()
    assert (row["finding"], row["unanswered"]) == (None, 0)
    assert row["next_s"] <= 60
    assert row["ask_s"] <= 0


async def take(clinic):
    async with clinic.pool.acquire() as connection:
        return await take_due(connection, limit=100)


async def test_a_look_that_was_cut_off_is_made_up_for(clinic):
    """An account that is taken is set ahead: who dies loses nothing, and who wakes late writes nothing."""
    [dead] = await take(clinic)
    at_once = await take(clinic)
    await clinic.pool.execute("UPDATE health_checks SET next_check_at = next_check_at - interval '120 seconds'")

    await clinic.sweep()
    found = await clinic.row()
    await clinic.fail(190)
    await look_at(clinic.surgery, [dead])

    assert at_once == []
    assert found["finding"] == "ok"
    after = await clinic.row()
    assert {name: after[name] for name in ("finding", "checked_at", "next_check_at")} == {
        name: found[name] for name in ("finding", "checked_at", "next_check_at")
    }


async def test_a_sweep_that_is_stopped_while_it_asks_holds_nothing(clinic):
    """No transaction is open across a call, and the account comes again."""
    await clinic.emulator.fault(endpoint="get_account", kind="timeout", times=1)
    sweep = asyncio.create_task(clinic.sweep())
    await until(clinic.asked, what="the platform to be asked")
    busy = await clinic.pool.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
    )

    sweep.cancel()
    await asyncio.wait({sweep})

    assert busy == 0
    assert (await clinic.row())["next_s"] <= 120
    await clinic.come_due()
    await clinic.sweep()
    assert (await clinic.row())["finding"] == "ok"


async def test_two_processes_never_ask_for_one_account_at_once(open_clinics):
    """However many sweep, each account is asked for once."""
    clinic = await open_clinics(accounts=30)

    await asyncio.gather(clinic.sweep(), clinic.sweep(), clinic.sweep())

    assert await clinic.asked() == 30
    assert await clinic.pool.fetchval("SELECT count(*) FROM health_checks WHERE finding = 'ok'") == 30


async def test_an_app_that_is_throttled_is_not_called(open_clinics):
    """The platform said that the app calls too much: all accounts wait for it, and none is blamed."""
    clinic = await open_clinics(accounts=5)
    account = GraphAccount(ig_user_id="1", access_token="a-token-of-it")
    clinic.surgery.gate.saw(account, "profile", usage=None, error=throttled(4))

    await clinic.sweep()

    assert await clinic.asked() == 0
    rows = [await clinic.row(place) for place in range(5)]
    assert all(row["next_s"] > 100 and row["unanswered"] == 0 and row["finding"] is None for row in rows)


async def test_a_platform_that_is_down_is_asked_by_the_probe_alone(open_clinics):
    """All others wait; the probe's silence is counted for its own account alone."""
    clinic = await open_clinics(accounts=6)
    for number in range(3):
        account = GraphAccount(ig_user_id=str(number), access_token="a-token-of-it")
        clinic.surgery.gate.saw(account, "profile", usage=None, error=UNCLEAR)
    await clinic.emulator.fault(endpoint="get_account", kind="html_502", times=100)

    await clinic.sweep()

    assert await clinic.asked() == 1
    assert await clinic.pool.fetchval("SELECT sum(unanswered) FROM health_checks") == 1


async def test_one_account_that_cannot_be_opened_keeps_no_other_waiting(open_clinics):
    """A token of a lost key is the operator's trouble and proves nothing."""
    clinic = await open_clinics(accounts=2)
    await clinic.pool.execute(
        "UPDATE account_tokens SET sealed = '\\x00' WHERE account_id = $1", clinic.tenant.account_ids[0]
    )

    await clinic.sweep()

    lost, other = await clinic.row(0), await clinic.row(1)
    assert (lost["finding"], lost["unanswered"], lost["state"]) == (None, 1, "ACTIVE")
    assert other["finding"] == "ok"


async def test_the_job_looks_at_an_account_now(clinic):
    """Due or not."""
    await clinic.sweep()
    await clinic.fail(190)

    await clinic.check_now()

    assert (await clinic.row())["finding"] == "reauth"


async def test_the_job_of_an_account_that_is_gone_is_no_failure(clinic):
    """A message may outlive its account."""
    await clinic.pool.execute("DELETE FROM accounts")

    await clinic.check_now()

    assert await clinic.asked() == 0


@pytest.mark.parametrize(
    ("owner", "target", "soon"),
    [(Owner.PUBLISHER, AccountState.NEEDS_REAUTH, True), (Owner.API, AccountState.PAUSED, False)],
)
async def test_news_of_an_account_bring_its_look_forward(clinic, owner, target, soon):
    """A refused publication is asked after within a minute; who is paused is not."""
    await clinic.sweep()

    async with clinic.pool.acquire() as tx, tx.transaction():
        await transition_account(
            tx, clinic.tenant.account_ids[0], user_id=clinic.tenant.user_id, target=target, owner=owner, reason=None
        )

    row = await clinic.row()
    assert (row["next_s"] <= 60, row["ask_s"] <= 0) == (soon, soon)


async def test_what_is_due_and_not_taken_is_seen(open_clinics):
    """How many looks wait, and for how long the first of them."""
    clinic = await open_clinics(accounts=3)
    await clinic.pool.execute("UPDATE health_checks SET next_check_at = now() - interval '90 seconds'")

    await observe_checks_once(clinic.pool)

    assert REGISTRY.get_sample_value("instadistro_health_checks_due") == 3
    oldest_s = REGISTRY.get_sample_value("instadistro_health_checks_oldest_due_age_seconds")
    assert oldest_s is not None
    assert 90 <= oldest_s < 120
