"""A database with publications that ended long ago."""

from dataclasses import dataclass
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from shared.cleanup import choose_policies, clean_up
from shared.database import create_pool
from tests.seeds import seed_publications, seed_tenant


@dataclass(frozen=True, kw_only=True)
class Store:
    """A tenant of three accounts and one post."""

    pool: Any
    tenant: Any

    async def end(self, state, *, days, accounts=1):
        """So many publications that ended so in a state so long ago, each with two tries; their ids."""
        ids = (await seed_publications(self.pool, self.tenant))[:accounts]
        await self.pool.execute("DELETE FROM publications WHERE state = 'scheduled' AND NOT id = ANY($1)", ids)
        await self.pool.execute(
            """
            UPDATE publications
            SET state = $2, reason = 'because', error = '{"code": "no"}', attempt = 2,
                media_id = CASE WHEN $2 = 'published' THEN id::text END,
                published_at = CASE WHEN $2 = 'published' THEN now() - make_interval(days => $3) END,
                created_at = now() - make_interval(days => $3 + 1), updated_at = now() - make_interval(days => $3)
            WHERE id = ANY($1)
            """,
            ids,
            state,
            days,
        )
        await self.pool.execute(
            """
            INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, outcome, error)
            SELECT id, epoch, $2, epoch, 'w', 'quota', '{"code": "no"}'
            FROM unnest($1::uuid[]) AS id CROSS JOIN generate_series(1, 2) AS epoch
            """,
            ids,
            self.tenant.user_id,
        )
        return ids

    async def distribute(self, publication_ids):
        """Let these be of one distribution; its id."""
        distribution_id = uuid7()
        await self.pool.execute(
            """
            INSERT INTO distributions (id, user_id, post_id, window_from, window_to, min_gap_s, seed)
            VALUES ($1, $2, $3, now(), now(), 0, 1)
            """,
            distribution_id,
            self.tenant.user_id,
            self.tenant.post_id,
        )
        await self.pool.execute(
            "UPDATE publications SET distribution_id = $1 WHERE id = ANY($2)", distribution_id, publication_ids
        )
        return distribution_id

    async def clean_up(self, **days):
        """One run of all policies: what went, by table. None of them may fail."""
        policies = choose_policies(**{"archive_after_days": 90, "archive_keep_days": 730} | days)
        done = [outcome async for outcome in clean_up(self.pool, policies)]
        assert [outcome for outcome in done if outcome.failure] == []
        return {outcome.policy.name: outcome.went for outcome in done}

    async def ids(self, table):
        return {row["id"] for row in await self.pool.fetch(f"SELECT id FROM {table}")}  # noqa: S608 - of a test's own


@pytest.fixture
async def store(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        instagram = [(f"1784140000000000{number}", f"token-{number}-of-tests") for number in range(3)]
        yield Store(pool=pool, tenant=await seed_tenant(pool, instagram=instagram))
