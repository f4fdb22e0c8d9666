"""Alerts: raised once for what is wrong, escalated when it gets worse, over when it is; and who is looked at when."""

import json
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from services.health.monitor_swarm import monitor_swarm
from services.scheduler.call_receiver import open_receivers
from services.scheduler.deliver_webhook import Courier
from shared.alerts import Alert, AlertCode, Severity, acknowledge_alert, raise_alerts, resolve_alert, resolve_alerts
from shared.database import create_pool
from shared.jobs import JobType, MonitorSwarm, new_job
from tests.receivers import Receiver, Webhooks, serving
from tests.seeds import CIPHER, seed_publications, seed_tenant

_PAIRS = [(f"1784140000000000{number}", f"token-{number}") for number in range(1, 4)]


class Watched:
    """A tenant with three accounts, and what is said of them."""

    def __init__(self, pool, tenant):
        self.pool, self.tenant = pool, tenant

    async def monitor(self):
        payload = MonitorSwarm(user_id=self.tenant.user_id)
        await monitor_swarm(self.pool, new_job(JobType.HEALTH_MONITOR, payload), payload)

    async def change(self, account, assignments):
        await self.pool.execute(
            f"UPDATE accounts SET {assignments} WHERE id = $1",  # noqa: S608 - of this file
            self.tenant.account_ids[account],
        )

    async def live(self):
        return [
            (row["code"], row["severity"], row["state"], self.tenant.account_ids.index(row["subject_id"]))
            for row in await self.rows("state <> 'resolved'")
        ]

    async def rows(self, condition="true"):
        return await self.pool.fetch(f"SELECT * FROM alerts WHERE {condition} ORDER BY opened_at, id")  # noqa: S608

    async def told(self):
        """The types of the events about alerts, oldest first."""
        rows = await self.pool.fetch("SELECT type FROM events WHERE type LIKE 'alert.%' ORDER BY tx, seq")
        return [row["type"].removeprefix("alert.") for row in rows]

    async def raised(self, **changed):
        """One alert as the health service raises it; gives its row."""
        said = {"severity": Severity.WARNING, "text": "Something is wrong.", "advice": "Look at it.", **changed}
        alert = Alert(
            user_id=self.tenant.user_id,
            code=AlertCode.HEALTH_LOW,
            subject_type="account",
            subject_id=self.tenant.account_ids[0],
            **said,
        )
        async with self.pool.acquire() as connection, connection.transaction():
            await raise_alerts(connection, [alert])
        [row] = await self.rows("state <> 'resolved'")
        return row

    async def say(self, what, row):
        async with self.pool.acquire() as connection, connection.transaction():
            return await what(connection, row["id"], user_id=self.tenant.user_id, by="key1")


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


@pytest.fixture
async def watched(pool):
    return Watched(pool, await seed_tenant(pool, instagram=_PAIRS))


async def test_the_end_of_a_token_is_told_at_each_threshold_once(watched):
    """14, 7, 3 and 1 days before it, and at its end: five words of one alert, however often it is looked at."""
    await watched.pool.execute("UPDATE account_tokens SET obtained_at = now() - interval '55 days'")
    seen = []
    for days in (15, 13.9, 6.9, 2.9, 0.9, -0.1):
        await watched.change(1, f"token_expires_at = now() + interval '{days} days'")
        for _ in range(2):
            await watched.monitor()
        seen.append([row["text"].rpartition(" access token of ")[2] for row in await watched.rows()])

    [row] = await watched.rows()
    assert seen[0] == []
    assert [said for [said] in seen[1:]] == [
        f"user_0002 {ends}."
        for ends in (
            "ends within 14 days",
            "ends within 7 days",
            "ends within 3 days",
            "ends within a day",
            "has ended",
        )
    ]
    assert await watched.told() == ["opened", "escalated", "escalated", "escalated", "escalated"]
    assert (row["severity"], row["count"], row["subject_id"]) == ("critical", 5, watched.tenant.account_ids[1])


async def test_a_token_that_was_renewed_is_told_of_no_more(watched):
    """Nobody has to close what is over."""
    await watched.pool.execute("UPDATE account_tokens SET obtained_at = now() - interval '55 days'")
    await watched.change(0, "token_expires_at = now() + interval '2 days'")
    await watched.monitor()
    await watched.change(0, "token_expires_at = now() + interval '60 days'")
    await watched.monitor()

    assert await watched.live() == []
    assert await watched.told() == ["opened", "resolved"]


@pytest.mark.parametrize(
    ("obtained", "failures", "told"),
    [("1 day", 0, False), ("1 day", 1, True), ("9 days", 0, True)],
    ids=["is renewed in time", "its renewal failed", "its renewal is overdue"],
)
async def test_a_token_that_renews_itself_alarms_nobody(watched, obtained, failures, told):
    """A short life is no trouble as long as its renewal is still to come."""
    await watched.pool.execute(
        f"UPDATE account_tokens SET obtained_at = now() - interval '{obtained}', refresh_failures = $1",  # noqa: S608
        failures,
    )
    await watched.change(2, "token_expires_at = now() + interval '5 days'")

    await watched.monitor()

    assert await watched.live() == ([("token_expiring", "warning", "open", 2)] if told else [])


async def test_accounts_that_cannot_publish_are_told_and_over_when_they_can(watched):
    """Each refusal of an account is an alert of its own code; other tenants' accounts are their own matter."""
    stranger = Watched(watched.pool, await seed_tenant(watched.pool))
    await stranger.change(0, "state = 'NEEDS_REAUTH'")
    await watched.change(0, "state = 'NEEDS_REAUTH'")
    await watched.change(2, "state = 'RESTRICTED'")
    await watched.monitor()
    live = await watched.live()
    await watched.change(0, "state = 'ACTIVE'")
    await watched.change(2, "removed_at = now()")
    await watched.monitor()

    assert sorted(live) == [("account_restricted", "critical", "open", 2), ("reauth_required", "critical", "open", 0)]
    assert await watched.live() == []


async def test_publications_are_counted_for_each_account(watched):
    """What nobody knows and what was missed today; more of it changes the words, and rings no second bell."""
    for state, late in (("outcome_unknown", "0"), ("missed", "0"), ("missed", "25 hours")):
        ids = await seed_publications(watched.pool, watched.tenant)
        await watched.pool.execute(
            f"UPDATE publications SET state = $1, updated_at = now() - interval '{late}' WHERE id = ANY($2::uuid[])",  # noqa: S608
            state,
            ids,
        )
    await watched.monitor()
    first = Counter((row["code"], json.loads(row["details"])["publications"]) for row in await watched.rows())
    await watched.pool.execute("UPDATE publications SET updated_at = now() WHERE state = 'missed'")
    await watched.monitor()

    assert first == {("outcome_unknown", 1): 3, ("publications_missed", 1): 3}
    assert {row["text"] for row in await watched.rows("code = 'publications_missed'")} == {
        f"user_000{number} missed 2 publications in the last 24 hours." for number in (1, 2, 3)
    }
    assert await watched.told() == ["opened"] * 6


async def test_while_many_are_refused_at_once_none_of_them_is_told_of(watched):
    """The incident speaks for all; what was told before stays; what is left is told when all were asked for again."""
    await watched.change(0, "state = 'NEEDS_REAUTH'")
    await watched.monitor()
    await watched.pool.execute(
        """
        INSERT INTO incidents (id, error_class, accounts, share, user_ids, paused_until)
        VALUES (gen_random_uuid(), 'reauth', 3, 1, '{}', now())
        """
    )
    await watched.change(1, "state = 'NEEDS_REAUTH'")
    await watched.change(2, "state = 'RESTRICTED'")
    await watched.monitor()
    during = await watched.live()
    await watched.pool.execute("UPDATE incidents SET closed_at = now()")
    await watched.monitor()
    just_after = await watched.live()
    await watched.pool.execute("UPDATE incidents SET closed_at = now() - interval '15 minutes'")
    await watched.monitor()

    assert just_after == during
    assert [(code, account) for code, _, _, account in during] == [("reauth_required", 0), ("account_restricted", 2)]
    assert len(await watched.live()) == 3


async def test_saying_the_same_again_writes_nothing(watched):
    """A thing that stays wrong for weeks costs no row version and rings no bell."""
    first = await watched.raised()
    again = await watched.raised()
    other = await watched.raised(text="It is wrong in another way.")

    assert again == first
    assert (other["id"], other["count"]) == (first["id"], 2)
    assert await watched.told() == ["opened"]


async def test_what_gets_worse_needs_a_person_again(watched):
    """Acknowledged stays acknowledged in other words, and while it gets better; not when it gets worse."""
    await watched.say(acknowledge_alert, await watched.raised())
    states = [
        (await watched.raised(**changed))["state"]
        for changed in (
            {"text": "Other words."},
            {"severity": Severity.INFO},
            {"severity": Severity.INFO, "stage": 1},
        )
    ]

    assert states == ["acknowledged", "acknowledged", "open"]
    assert await watched.told() == ["opened", "acknowledged", "escalated"]


async def test_what_a_person_resolves_comes_back_if_it_is_still_so(watched):
    """As another alert: the first one's story is ended."""
    await watched.change(0, "state = 'NEEDS_REAUTH'")
    await watched.monitor()
    [row] = await watched.rows()
    resolved = await watched.say(resolve_alert, row)
    again = await watched.say(resolve_alert, row)
    await watched.monitor()

    first, second = await watched.rows()
    assert (resolved["state"], resolved["resolved_by"], again) == ("resolved", "key1", None)
    assert (first["state"], second["state"]) == ("resolved", "open")
    assert await watched.told() == ["opened", "resolved", "opened"]


async def test_many_tenants_are_told_at_once_that_it_is_over(watched):
    """One statement for all of whom the same subject was told."""
    stranger = Watched(watched.pool, await seed_tenant(watched.pool))
    subject = UUID(int=7)
    said: dict[str, Any] = {"severity": Severity.CRITICAL, "subject_type": "incident"}
    said |= {"text": "Wrong.", "advice": "Wait."}
    users = [watched.tenant.user_id, stranger.tenant.user_id]
    alerts = [Alert(user_id=user, code=AlertCode.APP_INCIDENT, subject_id=subject, **said) for user in users]
    async with watched.pool.acquire() as connection, connection.transaction():
        raised = await raise_alerts(connection, alerts)
        resolved = await resolve_alerts(connection, AlertCode.APP_INCIDENT, [subject], user_id=users)

    assert (raised, resolved) == (2, 2)
    assert await watched.told() == ["opened", "opened", "resolved", "resolved"]


async def test_a_webhook_is_sent_what_an_alert_says(watched):
    """From the row to a receiver on the network, with words that a person can act on."""
    receiver = Receiver()
    async with serving(receiver), open_receivers(private_networks=True) as receivers:
        courier = Courier(pool=watched.pool, cipher=CIPHER, receivers=receivers)
        webhooks = Webhooks(watched.pool, courier, watched.tenant.user_id)
        await webhooks.add(receiver.url, events=["alert.*"])
        await watched.change(0, "state = 'RESTRICTED'")
        await watched.monitor()
        await webhooks.fan_out()
        [delivery] = await watched.pool.fetch("SELECT id FROM webhook_deliveries")
        await webhooks.deliver(delivery["id"])

    [(_, body)] = receiver.requests
    sent = json.loads(body)
    assert sent["type"] == "alert.opened"
    assert (sent["data"]["code"], sent["data"]["severity"]) == ("account_restricted", "critical")
    assert sent["data"]["account_id"] == sent["data"]["subject_id"] == str(watched.tenant.account_ids[0])
    assert "resume the account" in sent["data"]["advice"]
