"""A tenant whose accounts are judged on real servers, and what it has been through."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from uuid_utils.compat import uuid7

from services.health.evidence import read_evidence
from services.health.rescore import Clinic, rescore
from shared.cache import open_cache
from shared.database import create_pool
from tests.seeds import seed_tenant

_PUBLICATION = """
    INSERT INTO publications (id, user_id, account_id, post_id, state, priority, publish_at, next_attempt_at, rescue_at,
                              max_attempts, published_at, error, updated_at)
    SELECT $1, $2, $3, $4, $5, 3, now() - $6 * interval '1 day', now(), now(), 3,
           CASE WHEN $5 = 'published' THEN now() - $6 * interval '1 day' END, $7::jsonb, now() - $6 * interval '1 day'
"""
_ATTEMPT = """
    INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, account_id, started_at, ended_at,
                                      outcome, error)
    SELECT $1, 1, user_id, 1, 'worker', account_id, updated_at, updated_at, state, error FROM publications WHERE id = $1
"""


class World:
    """A tenant whose accounts are judged."""

    def __init__(self, clinic, tenant):
        self.clinic, self.tenant, self.pool = clinic, tenant, clinic.pool
        self.account_id = tenant.account_ids[0]

    async def add(self, state, *, times=1, age_days=0.0, fault=None, account_id=None):
        """Publications in this state; those with a fault had one attempt that ended with it."""
        for _ in range(times):
            publication_id = uuid7()
            await self.pool.execute(
                _PUBLICATION,
                publication_id,
                self.tenant.user_id,
                account_id or self.account_id,
                self.tenant.post_id,
                state,
                age_days,
                json.dumps(fault) if fault else None,
            )
            if fault:
                await self.pool.execute(_ATTEMPT, publication_id)

    async def judge(self):
        await rescore(self.clinic, self.tenant.account_ids)
        return await self.score()

    async def score(self, account_id=None):
        return await self.pool.fetchrow(
            "SELECT * FROM health_scores WHERE account_id = $1", account_id or self.account_id
        )

    async def evidence(self):
        async with self.pool.acquire() as connection:
            [known] = await read_evidence(connection, [self.account_id])
        return known.evidence

    async def events(self, kind):
        rows = await self.pool.fetch("SELECT payload FROM events WHERE type = $1 ORDER BY seq", kind)
        return [json.loads(row["payload"]) for row in rows]

    async def change(self, statement, *arguments):
        await self.pool.execute(statement, self.account_id, *arguments)

    async def pass_time(self, seconds):
        """The scores there are were computed so long ago."""
        await self.pool.execute(
            """
            UPDATE health_scores
            SET computed_at = computed_at - $1 * interval '1 second',
                rising_since = rising_since - $1 * interval '1 second'
            """,
            float(seconds),
        )


@asynccontextmanager
async def open_world(database_url: str, redis_url: str, *, accounts: int = 1) -> AsyncIterator[World]:
    """A tenant with so many accounts, none of them judged, for as long as the context lasts."""
    async with await create_pool(database_url, application_name="test") as pool, open_cache(redis_url) as cache:
        clinic = Clinic(pool=pool, cache=cache, rescue_after_s=60.0)
        pairs = [(f"1784140000000{number:04}", f"token-{number}") for number in range(1, accounts + 1)]
        yield World(clinic, await seed_tenant(pool, instagram=pairs))
