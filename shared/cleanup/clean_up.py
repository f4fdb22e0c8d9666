"""Carrying the policies out, in short transactions that give way to everybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import asyncpg
import structlog

from shared.cleanup.policies import Policy
from shared.database import Pool

# A table that grows faster than this is gone on with by the next run.
_MOST_BATCHES = 100
# Whoever works waits no longer than this for cleaning up; and cleaning up does not wait for those that work for long.
_GIVE_WAY = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '20s'"
# Two that make the same partition at once would fail.
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended($1, 8))"
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class CleanedUp:
    """What came of one policy."""

    policy: Policy
    went: int  # rows; partitions where the policy has no batches
    more: bool = False  # its batches were used up: there may be more
    failure: str | None = None  # what stopped it; what went before is gone all the same


async def clean_up(pool: Pool, policies: Sequence[Policy]) -> AsyncIterator[CleanedUp]:
    """Let go what is old, policy by policy. One that fails is told as such, and stops none of the others.

    Raises:
        OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError: the database is away. What went before is
            gone; run it again when the database is back.
    """
    for policy in policies:
        yield await _carry_out(pool, policy)


async def _carry_out(pool: Pool, policy: Policy) -> CleanedUp:
    went = 0
    try:
        for _ in range(_MOST_BATCHES):
            gone = await _let_go(pool, policy)
            went += gone
            if policy.batch is None or not gone:
                return CleanedUp(policy=policy, went=went)
    except asyncpg.PostgresConnectionError:
        raise
    except asyncpg.PostgresError as error:
        why = str(error) or type(error).__name__
        log.warning("cleanup.failed", policy=policy.name, error=why)
        return CleanedUp(policy=policy, went=went, failure=why)
    return CleanedUp(policy=policy, went=went, more=True)


async def _let_go(pool: Pool, policy: Policy) -> int:
    """One transaction; between two of them nothing is locked."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_GIVE_WAY)
        arguments = [policy.days or 0]
        if policy.batch is None:
            await connection.execute(_ALONE, policy.name)
        else:
            arguments.append(policy.batch)
        gone: int = await connection.fetchval(policy.let_go, *arguments)
        return gone
