"""What limits how much an account publishes: the platform's quota, and its warm-up. Asked under the account's lock."""

from __future__ import annotations

from dataclasses import replace

from shared.accounts import DayRecord, Slot, WarmUp, begin_day, has_day_passed, next_day, next_slot
from shared.database import Connection, Row

# Only accounts that warm up are counted, and those have few publications.
_DAY_RECORD = """
    SELECT count(*) FILTER (WHERE state = 'published' AND published_at >= $3) AS published,
           count(*) FILTER (WHERE state = 'failed' AND updated_at >= $3) AS failed,
           count(*) FILTER (WHERE state = 'outcome_unknown' AND publish_sent_at >= $3) AS unknown,
           count(*) FILTER (WHERE step = 'publish_sent' AND state IN ('scheduled', 'publishing', 'held')) AS under_way,
           max(CASE WHEN state = 'published' THEN published_at
                    WHEN state IN ('outcome_unknown', 'scheduled', 'publishing', 'held') AND step = 'publish_sent'
                    THEN publish_sent_at END) AS last_sent_at
    FROM publications
    WHERE user_id = $1 AND account_id = $2
"""


async def find_slot(tx: Connection, account: Row) -> Slot | None:
    """The next free slot of an account that may not publish now; None if it may.

    A day of the warm-up that has passed is judged, and the next one begun, on the way.

    Args:
        tx: a transaction that holds the lock on the account's row.
        account: the row as the claim reads it.
    """
    if account["quota_until"] is not None:
        return Slot(reason="quota", at=account["quota_until"])
    warmup = _warmup(account)
    if warmup is None or warmup.is_over:
        return None
    now = account["read_at"]
    record = await _read(tx, account, warmup)
    if has_day_passed(warmup, now=now):
        warmup = replace(warmup, day=next_day(warmup, record), began_at=now)
        await begin_day(tx, account["id"], user_id=account["user_id"], day=warmup.day)
        if warmup.is_over:
            return None
        record = await _read(tx, account, warmup)
    return next_slot(warmup, record, now=now)


def _warmup(account: Row) -> WarmUp | None:
    if account["daily_caps"] is None:
        return None
    return WarmUp(
        daily_caps=account["daily_caps"],
        min_gap_s=account["min_gap_s"],
        success_ratio=account["success_ratio"],
        day=account["warmup_day"],
        began_at=account["warmup_day_began_at"],
        flagged_at=account["flagged_at"],
        quota_total=account["quota_total"],
    )


async def _read(tx: Connection, account: Row, warmup: WarmUp) -> DayRecord:
    began_at = warmup.began_at or account["read_at"]
    [row] = await tx.fetch(_DAY_RECORD, account["user_id"], account["id"], began_at)
    return DayRecord(**row)
