"""The rows of `health_checks`: who is looked at now, what was found, when the next look comes.

Whoever takes a row sets its next look ahead, past the end of his own: a process that dies leaves it to others, and what
it still writes, or what was overtaken by a new token, finds another time there and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.health.ask_account import ASK_S, Answer, Finding
from shared.accounts import ACCOUNT_COLUMNS, ACCOUNT_JOINS
from shared.database import Connection, Row

#: In a batch nothing is begun after so many seconds: what is left is given back.
BEGIN_S = 15.0
_LEASE_S = BEGIN_S + ASK_S + 35.0

_TAKE = """
    WITH due AS (
        SELECT account_id, next_check_at AS due_at
        FROM health_checks
        WHERE {which}
        FOR NO KEY UPDATE {locked}
    )
    UPDATE health_checks
    SET next_check_at = now() + $1::float8 * interval '1 second'
    FROM due
    WHERE health_checks.account_id = due.account_id
    RETURNING health_checks.account_id, health_checks.user_id, health_checks.next_check_at AS until,
              health_checks.finding, health_checks.unanswered, {asks} AS asks,
              greatest(extract(epoch FROM now() - due.due_at)::float8, 0) AS late_s,
              extract(epoch FROM now() - health_checks.checked_at)::float8 AS answered_s
"""
_TAKE_DUE = _TAKE.format(
    which="next_check_at <= now() ORDER BY next_check_at LIMIT $2",
    locked="SKIP LOCKED",
    asks="health_checks.ask_at <= now()",
)
_TAKE_ONE = _TAKE.format(which="account_id = $2 AND user_id = $3", locked="", asks="true")
# Those that may be asked for: a token is there, and the owner has not taken the account out.
_ACCESS = f"""
    SELECT accounts.id AS account_id, accounts.state, accounts.quota_total,
           accounts.state = 'NEEDS_REAUTH' AND EXISTS (
               SELECT FROM incidents
               WHERE error_class = 'reauth' AND coalesce(closed_at, 'infinity') > now() - interval '1 day'
                 AND accounts.flagged_at BETWEEN opened_at - interval '15 minutes' AND closed_at
           ) AS in_past_incident, {ACCOUNT_COLUMNS}
    FROM unnest($1::uuid[], $2::uuid[]) AS asked (user_id, account_id)
    JOIN accounts ON accounts.user_id = asked.user_id AND accounts.id = asked.account_id
    {ACCOUNT_JOINS}
    WHERE accounts.state <> 'DISCONNECTED'
"""  # noqa: S608 - built of constants alone
# Rows are locked in one order by all who lock several.
_ANSWERED = """
    WITH told AS (
        SELECT *
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::integer[], $5::integer[], $6::bigint[], $7::bigint[])
             AS told (account_id, until, finding, quota_used, usage_percent, followers_count, media_count)
    ), mine AS (
        SELECT health_checks.account_id,
               -- Of the token that was taken before, and not of another that came since.
               health_checks.finding = 'ok' AND account_tokens.obtained_at <= health_checks.checked_at AS was_taken
        FROM told
        JOIN health_checks ON health_checks.account_id = told.account_id
        LEFT JOIN account_tokens
            ON account_tokens.user_id = health_checks.user_id AND account_tokens.account_id = health_checks.account_id
        WHERE health_checks.next_check_at = told.until
        ORDER BY health_checks.account_id
        FOR NO KEY UPDATE OF health_checks
    )
    UPDATE health_checks
    SET checked_at = now(), unanswered = 0, finding = told.finding, quota_used = told.quota_used,
        usage_percent = told.usage_percent,
        refused_at = CASE WHEN told.finding IN ('ok', 'other_account') THEN NULL
                          WHEN mine.was_taken THEN now()
                          ELSE health_checks.refused_at END,
        followers_count = coalesce(told.followers_count, health_checks.followers_count),
        media_count = coalesce(told.media_count, health_checks.media_count)
    FROM mine
    JOIN told ON told.account_id = mine.account_id
    WHERE health_checks.account_id = mine.account_id
    RETURNING health_checks.account_id
"""
_UNANSWERED = """
    WITH mine AS (
        SELECT health_checks.account_id
        FROM unnest($1::uuid[], $2::timestamptz[]) AS asked (account_id, until)
        JOIN health_checks ON health_checks.account_id = asked.account_id
        WHERE health_checks.next_check_at = asked.until
        ORDER BY health_checks.account_id
        FOR NO KEY UPDATE OF health_checks
    )
    UPDATE health_checks
    SET unanswered = least(health_checks.unanswered + 1, 1000)
    FROM mine
    WHERE health_checks.account_id = mine.account_id
"""
# An account that somebody works on is left out: its quota is told again.
_QUOTAS = """
    WITH changed AS (
        SELECT accounts.id, told.quota_total
        FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS told (user_id, id, quota_total)
        JOIN accounts ON accounts.user_id = told.user_id AND accounts.id = told.id
        FOR NO KEY UPDATE OF accounts SKIP LOCKED
    )
    UPDATE accounts
    SET quota_total = changed.quota_total
    FROM changed
    WHERE accounts.id = changed.id
"""
_STANDINGS = """
    SELECT looked.account_id, accounts.state, health_scores.band, health_checks.unanswered
    FROM unnest($1::uuid[], $2::uuid[]) AS looked (user_id, account_id)
    JOIN accounts ON accounts.user_id = looked.user_id AND accounts.id = looked.account_id
    JOIN health_checks ON health_checks.account_id = looked.account_id
    LEFT JOIN health_scores ON health_scores.account_id = accounts.id
"""
# A rhythm that has become faster begins at once, a slower one with the next answer.
_PLAN = """
    WITH planned AS (
        SELECT health_checks.account_id, now() + planned.judge_s * interval '1 second' AS judge_at,
               CASE WHEN planned.asked THEN now() + planned.ask_s * interval '1 second'
                    ELSE least(health_checks.ask_at, now() + planned.ask_s * interval '1 second') END AS ask_at
        FROM unnest($1::uuid[], $2::timestamptz[], $3::boolean[], $4::float8[], $5::float8[])
             AS planned (account_id, until, asked, ask_s, judge_s)
        JOIN health_checks ON health_checks.account_id = planned.account_id
        WHERE health_checks.next_check_at = planned.until
        ORDER BY health_checks.account_id
        FOR NO KEY UPDATE OF health_checks
    )
    UPDATE health_checks
    SET ask_at = planned.ask_at, next_check_at = least(planned.ask_at, planned.judge_at)
    FROM planned
    WHERE health_checks.account_id = planned.account_id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """An account that this process alone looks at now."""

    account_id: UUID
    user_id: UUID
    until: datetime  # then another may take it
    asks: bool  # the platform is to be asked
    finding: Finding | None  # of the last answer
    answered_s: float | None  # its age; None before the first
    unanswered: int
    late_s: float  # past due

    @classmethod
    def from_row(cls, row: Row) -> Taken:
        """Of a row that was taken."""
        finding = row["finding"]
        return cls(
            account_id=row["account_id"],
            user_id=row["user_id"],
            until=row["until"],
            asks=row["asks"],
            finding=None if finding is None else Finding(finding),
            answered_s=row["answered_s"],
            unanswered=row["unanswered"],
            late_s=row["late_s"],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """When an account is looked at again."""

    taken: Taken
    asked: bool  # whether this look has dealt with the question that was due
    ask_s: float
    judge_s: float


async def take_due(connection: Connection, *, limit: int) -> list[Taken]:
    """Those whose look is due, the longest due first."""
    return [Taken.from_row(row) for row in await connection.fetch(_TAKE_DUE, _LEASE_S, limit)]


async def take_one(connection: Connection, account_id: UUID, *, user_id: UUID) -> Taken | None:
    """One account, due or not; None if it is gone. Who looks at it already will write nothing."""
    row = await connection.fetchrow(_TAKE_ONE, _LEASE_S, account_id, user_id)
    return None if row is None else Taken.from_row(row)


async def read_access(connection: Connection, taken: Sequence[Taken]) -> dict[UUID, Row]:
    """What `open_account` needs of those that may be asked for, with `state`, `quota_total` and `in_past_incident`."""
    if not taken:
        return {}
    rows = await connection.fetch(_ACCESS, [one.user_id for one in taken], [one.account_id for one in taken])
    return {row["account_id"]: row for row in rows}


async def write_answers(tx: Connection, answers: Sequence[tuple[Taken, Answer]]) -> set[UUID]:
    """Keep what was found; those that were not overtaken."""
    if not answers:
        return set()
    rows = await tx.fetch(
        _ANSWERED,
        [taken.account_id for taken, _ in answers],
        [taken.until for taken, _ in answers],
        [answer.finding for _, answer in answers],
        [answer.quota_used for _, answer in answers],
        [answer.usage_percent for _, answer in answers],
        [answer.followers_count for _, answer in answers],
        [answer.media_count for _, answer in answers],
    )
    return {row["account_id"] for row in rows}


async def count_unanswered(connection: Connection, taken: Sequence[Taken]) -> None:
    """Count one more look that brought no answer."""
    if taken:
        await connection.execute(_UNANSWERED, [one.account_id for one in taken], [one.until for one in taken])


async def write_quotas(connection: Connection, told: Sequence[tuple[Taken, int]]) -> None:
    """Keep how much the platform lets each account publish."""
    if told:
        await connection.execute(
            _QUOTAS,
            [taken.user_id for taken, _ in told],
            [taken.account_id for taken, _ in told],
            [quota for _, quota in told],
        )


async def read_standings(connection: Connection, taken: Sequence[Taken]) -> dict[UUID, Row]:
    """State, band and unanswered looks of each that is still there."""
    rows = await connection.fetch(_STANDINGS, [one.user_id for one in taken], [one.account_id for one in taken])
    return {row["account_id"]: row for row in rows}


async def write_plans(connection: Connection, plans: Sequence[Plan]) -> None:
    """Set the next look of those that were not overtaken."""
    await connection.execute(
        _PLAN,
        [plan.taken.account_id for plan in plans],
        [plan.taken.until for plan in plans],
        [plan.asked for plan in plans],
        [plan.ask_s for plan in plans],
        [plan.judge_s for plan in plans],
    )
