"""The timetable of health checks: an account is on it from its first moment, and is looked at soon after news of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.database import Connection

# Not for all of an import at the same moment. Always another time than before: who looks at the account just now sees
# that he was overtaken.
_PLAN = """
    INSERT INTO health_checks (account_id, user_id, next_check_at)
    SELECT account_id, $1, now() + random() * interval '1 minute'
    FROM unnest($2::uuid[]) AS planned (account_id)
    ORDER BY account_id
    ON CONFLICT (account_id) DO UPDATE
    SET next_check_at = least(health_checks.next_check_at - interval '1 microsecond', excluded.next_check_at),
        ask_at = least(health_checks.ask_at, now())
    WHERE health_checks.user_id = excluded.user_id
"""


async def plan_checks(tx: Connection, account_ids: Sequence[UUID], *, user_id: UUID) -> None:
    """Have the platform asked for each account within a minute, and from then on in its rhythm.

    Args:
        tx: the transaction that adds the accounts, or that has the news of them; it holds the locks on their rows.
        account_ids: each once, new or known.
        user_id: their tenant.
    """
    if account_ids:
        await tx.execute(_PLAN, user_id, list(account_ids))
