"""What the database knows of an account's health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.health.scoring import PastOutcome
from shared.accounts import ACCOUNT_COLUMNS, ACCOUNT_JOINS, AccountState
from shared.database import Connection, Row

_DAYS = 14
_MOST_OUTCOMES = 500
_ACCOUNT_CLASSES = frozenset({"reauth", "restricted", "spam_suspected"})
_CONTENT_CLASSES = frozenset({"fix_content"})

_ACCOUNT = f"""
    SELECT {ACCOUNT_COLUMNS}, accounts.state, accounts.token_expires_at,
           extract(epoch FROM accounts.token_expires_at - now())::float8 / 86400 AS token_days_left
    FROM accounts
    {ACCOUNT_JOINS}
    WHERE accounts.user_id = $1 AND accounts.id = $2
"""  # noqa: S608 - built of constants alone
_OUTCOMES = """
    SELECT state, error ->> 'class' AS error_class, extract(epoch FROM now() - updated_at)::float8 / 86400 AS age_days
    FROM publications
    WHERE user_id = $1 AND account_id = $2 AND state IN ('published', 'failed')
      AND updated_at > now() - make_interval(days => $3)
    ORDER BY updated_at DESC
    LIMIT $4
"""
_UNRESOLVED = """
    SELECT count(*) FROM publications
    WHERE user_id = $1 AND account_id = $2 AND state = 'outcome_unknown' AND updated_at < now() - interval '1 hour'
"""


@dataclass(frozen=True, kw_only=True)
class KnownAccount:
    """An account as stored, with what became of its publications."""

    row: Row  # for `open_account`
    state: AccountState
    token_expires_at: datetime | None
    token_days_left: float | None
    outcomes: list[PastOutcome]
    unresolved_for_an_hour: int


async def read_known(connection: Connection, *, user_id: UUID, account_id: UUID) -> KnownAccount | None:
    """What is known; None if the account is gone."""
    account = await connection.fetchrow(_ACCOUNT, user_id, account_id)
    if account is None:
        return None
    outcomes = await connection.fetch(_OUTCOMES, user_id, account_id, _DAYS, _MOST_OUTCOMES)
    return KnownAccount(
        row=account,
        state=AccountState(account["state"]),
        token_expires_at=account["token_expires_at"],
        token_days_left=account["token_days_left"],
        outcomes=[_outcome(row) for row in outcomes],
        unresolved_for_an_hour=await connection.fetchval(_UNRESOLVED, user_id, account_id),
    )


def _outcome(row: Row) -> PastOutcome:
    published = row["state"] == "published"
    return PastOutcome(age_days=row["age_days"], blame=0.0 if published else _blame(row), published=published)


def _blame(row: Row) -> float:
    """Whose fault a failure was: the platform's own and ours count nothing."""
    if row["error_class"] in _ACCOUNT_CLASSES:
        return 1.0
    return 0.5 if row["error_class"] in _CONTENT_CLASSES else 0.0
