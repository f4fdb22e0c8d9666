"""What accounts can take beside all else that they publish, for a plan: read for all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.accounts import CAUTION_COLUMN
from shared.database import Connection, Row
from shared.publications.caps import health_cap_of, warmup_of
from shared.publications.room import Candidate

# A tenant's plans are made one after the other, or each would take the room that the other has taken.
_LOCK_PLANS = "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE"
_LIMITS = f"""
    SELECT accounts.id, accounts.quota_total, accounts.quota_until, {CAUTION_COLUMN},
           accounts.warmup_day, accounts.warmup_day_began_at, accounts.flagged_at,
           warmup_protocols.daily_caps, warmup_protocols.min_gap_s, warmup_protocols.success_ratio
    FROM accounts
    LEFT JOIN warmup_protocols ON warmup_protocols.id = accounts.protocol_id
    WHERE accounts.user_id = $1 AND accounts.id = ANY($2::uuid[])
"""  # noqa: S608 - built of constants alone
# What waits may have been put off: it counts when it will go. The rest counts when it went.
_WAITING = """
    SELECT account_id, greatest(publish_at, next_attempt_at) AS at
    FROM publications
    WHERE user_id = $1 AND account_id = ANY($2::uuid[])
      AND publish_at BETWEEN $3::timestamptz - interval '48 hours' AND $4::timestamptz + interval '24 hours'
      AND state IN ('scheduled', 'publishing', 'held', 'outcome_unknown')
"""
_PUBLISHED = """
    SELECT account_id, published_at AS at
    FROM publications
    WHERE account_id = ANY($2::uuid[]) AND state = 'published' AND published_at > $3::timestamptz - interval '24 hours'
      AND user_id = $1
"""


async def lock_plans(tx: Connection, *, user_id: UUID) -> None:
    """Stand in line with all who plan for this tenant, until the transaction ends. After the post's lock."""
    await tx.execute(_LOCK_PLANS, user_id)


async def read_candidates(
    tx: Connection, account_ids: Sequence[UUID], *, user_id: UUID, begin: datetime, end: datetime
) -> list[Candidate]:
    """What each of the accounts can take between two moments.

    It depends on these moments, never on the one at which it is asked: what is shown now is what is carried out later,
    unless something else was planned or published meanwhile.
    """
    taken = defaultdict[UUID, list[datetime]](list)
    for row in await tx.fetch(_WAITING, user_id, account_ids, begin, end):
        taken[row["account_id"]].append(row["at"])
    for row in await tx.fetch(_PUBLISHED, user_id, account_ids, begin):
        taken[row["account_id"]].append(row["at"])
    return [_candidate(row, sorted(taken[row["id"]])) for row in await tx.fetch(_LIMITS, user_id, account_ids)]


def _candidate(row: Row, taken: Sequence[datetime]) -> Candidate:
    warmup = warmup_of(row)
    # As careful as today for all of the plan: whether the next step or better health is reached, nobody knows yet.
    if warmup is None or warmup.is_over:
        cap, gap_s = health_cap_of(row) or row["quota_total"], 0.0
    else:
        cap, gap_s = warmup.cap, float(warmup.min_gap_s)
    return Candidate(account_id=row["id"], taken=taken, gap_s=gap_s, cap=cap, not_before=row["quota_until"])
