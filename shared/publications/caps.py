"""What limits how much an account publishes: the platform's quota, and its warm-up. Asked under the account's lock."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an account may publish now."""

    warmup: WarmUp | None  # as of now: a day that has passed is judged; None: no protocol, or it is over
    record: DayRecord | None  # of the warm-up's day
    slot: Slot | None  # the next free one; None: it may publish at once
    begins_day: int | None = None  # the day that the account's next publication begins


async def read_standing(connection: Connection, account: Row) -> Standing:
    """What an account may publish now. Nothing is written.

    Args:
        connection: any.
        account: the row as the claim reads it.
    """
    warmup = _warmup(account)
    record: DayRecord | None = None
    begins_day: int | None = None
    if warmup is not None and not warmup.is_over:
        now, record = account["read_at"], await _read(connection, account, warmup)
        if has_day_passed(warmup, now=now):
            begins_day = next_day(warmup, record)
            warmup = replace(warmup, day=begins_day, began_at=now)
            record = None if warmup.is_over else await _read(connection, account, warmup)
    slot = None if account["quota_until"] is None else Slot(reason="quota", at=account["quota_until"])
    if warmup is None or warmup.is_over or record is None:
        return Standing(warmup=None, record=None, slot=slot, begins_day=begins_day)
    slot = slot or next_slot(warmup, record, now=account["read_at"])
    return Standing(warmup=warmup, record=record, slot=slot, begins_day=begins_day)


async def find_slot(tx: Connection, account: Row) -> Slot | None:
    """The next free slot of an account that may not publish now; None if it may.

    A day of the warm-up that has passed is judged, and the next one begun, on the way.

    Args:
        tx: a transaction that holds the lock on the account's row.
        account: the row as the claim reads it.
    """
    if account["quota_until"] is not None:
        return Slot(reason="quota", at=account["quota_until"])
    standing = await read_standing(tx, account)
    if standing.begins_day is not None:
        await begin_day(tx, account["id"], user_id=account["user_id"], day=standing.begins_day)
    return standing.slot


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


async def _read(connection: Connection, account: Row, warmup: WarmUp) -> DayRecord:
    began_at = warmup.began_at or account["read_at"]
    [row] = await connection.fetch(_DAY_RECORD, account["user_id"], account["id"], began_at)
    return DayRecord(**row)
