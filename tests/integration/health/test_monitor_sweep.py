"""Whose accounts are looked at together, and when: where something happened, and all of them now and then."""

from typing import Any
from uuid import UUID

import pytest

from services.scheduler.monitor_swarms import monitor_swarms_once
from shared.alerts import Alert, AlertCode, Severity, raise_alerts
from shared.database import create_pool
from shared.outbox import Event, record_events
from tests.seeds import seed_tenant


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


async def tenants(pool, count, **fields):
    """So many, none of whom is due for a look."""
    made = [(await seed_tenant(pool, **fields)).user_id for _ in range(count)]
    await pool.execute("UPDATE users SET monitor_at = now() + interval '1 hour'")
    return made


async def happen(pool, event_type, *user_ids):
    events = [Event(user_id=user_id, type=event_type, subject=UUID(int=1), payload={}) for user_id in user_ids]
    async with pool.acquire() as connection, connection.transaction():
        await record_events(connection, events)


async def asked(pool):
    """Whom two sweeps have wished to be looked at."""
    for _ in range(2):
        await monitor_swarms_once(pool)
    rows = await pool.fetch("SELECT subject FROM outbox WHERE type = 'health:monitor'")
    return {UUID(row["subject"]) for row in rows}


async def test_a_tenant_is_looked_at_where_something_happened(pool):
    """At once and alone; however often it is swept, one message waits."""
    refused, missed, calm = await tenants(pool, 3)
    await happen(pool, "account.reauth_required", refused, refused)
    await happen(pool, "publication.missed", missed)
    await happen(pool, "publication.published", calm)

    assert await asked(pool) == {refused, missed}


async def test_each_tenant_with_accounts_is_looked_at_every_quarter_of_an_hour(pool):
    """Tokens come near their end without an event."""
    due, _later = await tenants(pool, 2)
    [empty] = await tenants(pool, 1, instagram=[])
    await pool.execute("UPDATE users SET monitor_at = now() WHERE id = ANY($1::uuid[])", [due, empty])

    assert await asked(pool) == {due}
    assert await pool.fetchval("SELECT min(monitor_at) > now() + interval '14 minutes' FROM users")


async def test_what_was_published_is_looked_at_where_an_outcome_was_unknown(pool):
    """Publishing is the daily work, and wakes nobody else."""
    unknown, calm = await tenants(pool, 2)
    said: dict[str, Any] = {"severity": Severity.WARNING, "subject_type": "account"}
    said |= {"text": "Unknown.", "advice": "Look."}
    alert = Alert(user_id=unknown, code=AlertCode.OUTCOME_UNKNOWN, subject_id=UUID(int=1), **said)
    async with pool.acquire() as connection, connection.transaction():
        await raise_alerts(connection, [alert])
    await happen(pool, "publication.published", unknown, calm)

    assert await asked(pool) == {unknown}
