"""Scores of 10,000 accounts made anew: from their evidence in the database and back into it, and the formula alone."""

from __future__ import annotations

import time
from uuid import UUID

import asyncpg

from benchmarks.bench import Bench
from benchmarks.processes import BenchmarkError
from benchmarks.rows import Row, row
from benchmarks.subjects import INSTADISTRO
from services.health.evidence import read_evidence
from services.health.rescore import Clinic
from services.health.rescore import rescore as rescore_accounts
from services.health.scoring import score_account
from shared.cache import open_cache
from shared.database import Pool, create_pool

_ACCOUNTS = 10_000
_BATCH = 500
_DEADLINE_S = 300.0
#: 20 outcomes an account: one in ten accounts has failures, and refusals that led to them.
_FILL = (
    """
    INSERT INTO users (id, email) VALUES (md5('bench health')::uuid, 'health@bench.example.com')
    """,
    """
    INSERT INTO posts (id, user_id, type, caption, media_ids)
    SELECT md5('bench post ' || n)::uuid, md5('bench health')::uuid, 'image', 'Words', ARRAY[md5('none')::uuid]
    FROM generate_series(1, 20) AS n
    """,
    """
    INSERT INTO accounts (id, user_id, instagram_user_id, username, state, token_expires_at)
    SELECT md5('bench account ' || n)::uuid, md5('bench health')::uuid, (9e15::bigint + n)::text, 'studio_' || n,
           'ACTIVE', now() + interval '5 days' + n % 50 * interval '1 day'
    FROM generate_series(1, $1) AS n
    """,
    """
    INSERT INTO publications (id, user_id, account_id, post_id, state, priority, publish_at, next_attempt_at, rescue_at,
                              max_attempts, published_at, error, created_at, updated_at)
    SELECT md5('bench publication ' || a || ' ' || p)::uuid, md5('bench health')::uuid,
           md5('bench account ' || a)::uuid, md5('bench post ' || p)::uuid,
           CASE WHEN failed THEN 'failed' ELSE 'published' END, 3, at, at, at, 3,
           CASE WHEN NOT failed THEN at END, CASE WHEN failed THEN fault END, at, at
    FROM generate_series(1, $1) AS a
    CROSS JOIN generate_series(1, 20) AS p
    CROSS JOIN LATERAL (
        SELECT a % 10 = 0 AND p % 5 = 0 AS failed, now() - p * interval '16 hours' AS at,
               '{"class": "fix_content", "code": 36003, "subcode": 2207009}'::jsonb AS fault
    ) AS known
    """,
    """
    INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, account_id, started_at, ended_at,
                                      outcome, error)
    SELECT id, 1, user_id, 1, 'worker', account_id, updated_at, updated_at, state, error
    FROM publications
    WHERE user_id = md5('bench health')::uuid
    """,
    "ANALYZE",
)
# As after ten minutes: each score is written again.
_AGE = (
    "UPDATE health_scores SET computed_at = computed_at - interval '1 hour' WHERE user_id = md5('bench health')::uuid"
)
_IDS = "SELECT id FROM accounts WHERE user_id = md5('bench health')::uuid ORDER BY id"


async def rescore(bench: Bench) -> list[Row]:
    """Seconds of this process's processor, and of the clock, for all accounts."""
    count = bench.scaled(_ACCOUNTS)
    figures: dict[str, list[float]] = {}
    async with (
        await create_pool(bench.servers.database, application_name="bench", max_size=2) as pool,
        open_cache(bench.servers.redis) as cache,
    ):
        bench.report.begin("rescore", trials=bench.runs)
        account_ids = await _fill(bench.servers.database, count)
        clinic = Clinic(pool=pool, cache=cache, rescue_after_s=60.0)
        await _rescore(clinic, account_ids)  # the first time each gets its line of history, too
        for _ in range(bench.runs):
            await pool.execute(_AGE)
            began, began_at = time.process_time(), time.monotonic()
            await _rescore(clinic, account_ids)
            took = {"cpu_health": time.process_time() - began, "wall_health": time.monotonic() - began_at}
            took["cpu_formula"] = await _formula_s(pool, account_ids)
            for metric, seconds in took.items():
                figures.setdefault(metric, []).append(seconds)
            bench.report.tell(", ".join(f"{metric} {seconds:.3f} s" for metric, seconds in took.items()))
    return [row(f"{count:,} accounts", INSTADISTRO, metric, "s", series) for metric, series in figures.items()]


async def _fill(database_url: str, count: int) -> list[UUID]:
    # With its own deadline: the pool's fits a service's statements.
    connection = await asyncpg.connect(database_url, command_timeout=_DEADLINE_S)
    try:
        if not await connection.fetchval(f"SELECT EXISTS ({_IDS})"):
            for statement in _FILL:
                await connection.execute(statement, *([count] if "$1" in statement else []))
        return [account["id"] for account in await connection.fetch(_IDS)]
    finally:
        await connection.close()


async def _rescore(clinic: Clinic, account_ids: list[UUID]) -> None:
    judged = await rescore_accounts(clinic, account_ids)
    if judged != len(account_ids):
        raise BenchmarkError(f"Of {len(account_ids):,} accounts {judged:,} were judged.")


async def _formula_s(pool: Pool, account_ids: list[UUID]) -> float:
    """The pure function alone, for the same accounts."""
    known = []
    async with pool.acquire() as connection:
        for start in range(0, len(account_ids), _BATCH):
            known += await read_evidence(connection, account_ids[start : start + _BATCH])
    began = time.process_time()
    for one in known:
        score_account(one.evidence, previous=one.previous)
    return time.process_time() - began
