"""What limits an account: warm-up, the platform's quota, its way out. A publication that must wait costs nothing."""

import asyncio
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from deploy.emulator import Options
from services.scheduler.mark_missed import mark_missed_once
from shared.publications import release_held
from tests.seeds import seed_publications

HOUR = timedelta(hours=1)


async def put_under(stage, *caps, min_gap_s=0, state="NEW"):
    """Give the account a protocol of these daily caps."""
    await stage.pool.execute(
        "INSERT INTO warmup_protocols VALUES ('test', 'Test', 'For tests.', $1, $2, 1.0)", list(caps), min_gap_s
    )
    await stage.pool.execute("UPDATE accounts SET protocol_id = 'test', state = $1", state)


async def run_another(stage, **wishes):
    """Another publication of the same account, and one delivery of its message."""
    [stage.publication_id] = await seed_publications(stage.pool, stage.tenant, **wishes)
    await stage.run()
    return await stage.row()


async def account(stage):
    return await stage.pool.fetchrow("SELECT *, now() AS read_at FROM accounts")


async def events(stage, like):
    rows = await stage.pool.fetch("SELECT type FROM events WHERE type LIKE $1 ORDER BY id", like)
    return [row["type"] for row in rows]


async def age_the_day(stage):
    """As if the day had begun, and what it published had gone live, 25 hours earlier."""
    await stage.pool.execute("UPDATE accounts SET warmup_day_began_at = warmup_day_began_at - interval '25 hours'")
    await stage.pool.execute("UPDATE publications SET published_at = published_at - interval '25 hours'")


async def test_a_new_account_under_a_protocol_warms_up_from_its_first_publication(stage):
    """The day begins with it."""
    await put_under(stage, 2)

    await stage.run()

    row = await account(stage)
    assert (row["state"], row["warmup_day"]) == ("WARMING_UP", 0)
    assert row["read_at"] - row["warmup_day_began_at"] < HOUR
    assert await events(stage, "account.%") == ["account.warmup_started"]


async def test_an_account_without_a_protocol_has_no_cap(stage):
    """Warm-up is opt-in."""
    await stage.pool.execute("UPDATE accounts SET state = 'NEW'")

    await stage.run()

    assert (await run_another(stage))["state"] == "published"
    assert (await account(stage))["state"] == "ACTIVE"


async def test_beyond_the_cap_a_publication_waits_for_the_next_day_and_no_call_is_made(stage):
    """Row, event and message together, and no attempt is spent."""
    await put_under(stage, 1)
    await stage.run()

    row = await run_another(stage)

    message = await stage.pool.fetchrow("SELECT due_at FROM outbox WHERE subject = $1", str(stage.publication_id))
    tomorrow = (await account(stage))["warmup_day_began_at"] + 24 * HOUR
    assert (row["state"], row["reason"], row["attempt"], row["epoch"]) == ("scheduled", "warmup_cap", 0, 0)
    assert row["next_attempt_at"] == message["due_at"] == tomorrow
    assert row["rescue_at"] == tomorrow + timedelta(seconds=60)
    assert await events(stage, "publication.%") == ["publication.published", "publication.deferred"]
    assert len(await stage.calls("create_container")) == 1


async def test_two_that_are_due_at_once_do_not_pass_the_cap_together(stage):
    """It is counted under the account's lock."""
    await put_under(stage, 1)
    first, [second] = stage.publication_id, await seed_publications(stage.pool, stage.tenant)

    async def deliver(publication_id):
        stage.publication_id = publication_id
        await stage.run()

    await asyncio.gather(deliver(first), deliver(second))
    for publication_id in (first, second):
        stage.publication_id = publication_id
        await stage.run_when_due()

    assert len(await stage.live()) == 1


async def test_between_two_publications_the_gap_is_kept(stage):
    """The second waits until it is over."""
    await put_under(stage, 5, min_gap_s=1800)
    await stage.run()
    published_at = (await stage.row())["published_at"]

    row = await run_another(stage)

    assert (row["state"], row["reason"]) == ("scheduled", "warmup_gap")
    assert row["next_attempt_at"] == published_at + timedelta(seconds=1800)


async def test_a_clean_day_leads_to_the_next_and_the_last_to_no_cap_at_all(stage):
    """The account is active then."""
    await put_under(stage, 1, 1)
    await stage.run()

    await age_the_day(stage)
    second_day = [(await run_another(stage))["state"], (await run_another(stage))["reason"]]
    await stage.pool.execute("DELETE FROM publications WHERE reason = 'warmup_cap'")
    await age_the_day(stage)
    afterwards = [(await run_another(stage))["state"], (await run_another(stage))["state"]]

    assert second_day == ["published", "warmup_cap"]
    assert afterwards == ["published", "published"]
    assert (await account(stage))["state"] == "ACTIVE"
    assert await events(stage, "account.%") == ["account.warmup_started", "account.warmup_finished"]


async def test_a_day_on_which_the_owner_was_needed_is_repeated(stage):
    """Whatever else was published on it, and although the account may publish again."""
    await put_under(stage, 2, 9)
    await stage.run()
    await stage.fault(endpoint="create_container", kind="error", times=1, code=190, subcode=460)
    held = await run_another(stage)
    await stage.pool.execute("UPDATE accounts SET state = 'ACTIVE'")

    await age_the_day(stage)
    again = await run_another(stage)

    row = await account(stage)
    assert (held["state"], again["state"]) == ("held", "published")
    assert row["flagged_at"] is not None
    assert (row["state"], row["warmup_day"]) == ("WARMING_UP", 0)


async def test_what_waits_beyond_its_last_moment_is_missed_with_the_reason(stage):
    """The cap is not a way to publish yesterday's news."""
    await put_under(stage, 1)
    await stage.run()
    await run_another(stage, max_lateness_s=3600)

    await mark_missed_once(stage.pool)

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("missed", "warmup_cap")


@pytest.mark.parametrize("options", [Options(quota_total=1)])
async def test_a_used_up_quota_waits_until_the_oldest_publication_leaves_the_window(stage):
    """And the account's others wait with it: none makes a container in vain."""
    await stage.run()
    await stage.pool.execute("UPDATE publications SET published_at = now() - interval '23 hours'")
    oldest = (await stage.row())["published_at"]

    refused = await run_another(stage)
    other = await run_another(stage)

    row = await account(stage)
    assert (refused["reason"], refused["attempt"], refused["step"]) == ("quota", 0, "container_created")
    assert abs(refused["next_attempt_at"] - oldest - 24 * HOUR) < timedelta(seconds=5)
    assert (other["state"], other["reason"], other["attempt"]) == ("scheduled", "quota", 0)
    assert other["next_attempt_at"] == row["quota_until"]
    assert row["quota_total"] == 1
    assert len(await stage.calls("create_container")) == 2


@pytest.mark.parametrize("ours", [0, 1])
async def test_a_quota_that_others_used_up_is_asked_again_in_half_an_hour(stage, ours):
    """Nothing of ours says when it has room: theirs may leave the window long before."""
    for _ in range(ours):
        await stage.run()
        [stage.publication_id] = await seed_publications(stage.pool, stage.tenant)
    await stage.fault(endpoint="media_publish", kind="error", times=1, code=9, subcode=2207042)

    await stage.run()

    row = await stage.row()
    wait = row["next_attempt_at"] - (await account(stage))["read_at"]
    assert row["reason"] == "quota"
    assert 29 * 60 < wait.total_seconds() <= 30 * 60


async def test_a_sent_publication_is_never_refused_by_a_cap(stage):
    """All it does is look, and the sooner it is known to be live the better."""
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)
    await stage.run()
    await stage.long_ago()
    await stage.pool.execute("UPDATE publications SET next_attempt_at = now()")
    await stage.pool.execute("UPDATE accounts SET quota_until = now() + interval '1 hour'")

    await stage.run()

    assert (await stage.row())["state"] == "published"


@pytest.mark.parametrize("egress", ["unknown", "up"])
async def test_a_proxy_that_is_down_holds_its_accounts_until_it_is_up(stage, egress):
    """To publish past it would break the policy it was given for; to fail would blame the post."""
    proxy_id = uuid7()
    await stage.pool.execute(
        """
        INSERT INTO proxies (id, user_id, name, scheme, host, port, state)
        VALUES ($1, $2, 'Berlin', 'http', 'proxy.example.com', 3128, 'down')
        """,
        proxy_id,
        stage.tenant.user_id,
    )
    await stage.pool.execute("UPDATE accounts SET proxy_id = $1", proxy_id)

    async def release():
        async with stage.pool.acquire() as connection, connection.transaction():
            return await release_held(
                connection, user_id=stage.tenant.user_id, account_id=stage.tenant.account_ids[0], rescue_after_s=60
            )

    await stage.run()
    held, while_down = await stage.row(), await release()
    await stage.pool.execute("UPDATE proxies SET state = $1", egress)
    when_up = await release()

    assert (held["state"], held["reason"], held["attempt"]) == ("held", "egress_down", 0)
    assert (while_down, when_up) == (0, 1)
    assert (await stage.row())["state"] == "scheduled"
    assert await stage.calls("create_container") == []
