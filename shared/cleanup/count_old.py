"""How much each policy would let go: a dry run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.cleanup.policies import Policy
from shared.database import Connection

#: Each table is counted so far: nobody needs to know more, and its owner would wait.
COUNT_MAX = 100_000


@dataclass(frozen=True, kw_only=True)
class Old:
    """What is old enough to go by one policy."""

    policy: Policy
    rows: int
    is_exact: bool  # False: there are more, counting ended here


async def count_old(connection: Connection, policies: Sequence[Policy]) -> list[Old]:
    """Count what would go by each policy now. Nothing is locked or written."""
    return [await _count(connection, policy) for policy in policies]


async def _count(connection: Connection, policy: Policy) -> Old:
    if policy.days is None:
        return Old(policy=policy, rows=0, is_exact=True)
    rows: int = await connection.fetchval(policy.count, policy.days, COUNT_MAX + 1)
    return Old(policy=policy, rows=min(rows, COUNT_MAX), is_exact=rows <= COUNT_MAX)
