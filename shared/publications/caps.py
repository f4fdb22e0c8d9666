"""What limits how much an account publishes: the platform's quota, its warm-up, and its health.

Asked under the account's lock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.accounts import (
    Caution,
    DayRecord,
    Slot,
    WarmUp,
    begin_day,
    halve,
    has_day_passed,
    next_day,
    next_slot,
)
from shared.database import Connection, Row

# Restored before its time, it has hardly been sent: it uses up nothing while it is looked up.
_MAY_BE_SENT = "step = 'publish_sent' AND (container_id <> '' OR publish_at <= now())"
# Only accounts that warm up are counted, and those have few publications.
_DAY_RECORD = f"""
    SELECT count(*) FILTER (WHERE state = 'published' AND published_at >= $3) AS published,
           count(*) FILTER (WHERE state = 'failed' AND updated_at >= $3) AS failed,
           count(*) FILTER (WHERE state = 'outcome_unknown' AND publish_sent_at >= $3) AS unknown,
           count(*) FILTER (WHERE state IN ('scheduled', 'publishing', 'held') AND {_MAY_BE_SENT}) AS under_way,
           max(CASE WHEN state = 'published' THEN published_at
                    WHEN state IN ('outcome_unknown', 'scheduled', 'publishing', 'held') AND {_MAY_BE_SENT}
                    THEN publish_sent_at END) AS last_sent_at
    FROM publications
    WHERE user_id = $1 AND account_id = $2
"""  # noqa: S608 - built of constants alone
# The window has room again when that one leaves it of which a whole cap is newer or the same. Only of accounts at risk.
_ROOM_AT = f"""
    SELECT sent.at + interval '24 hours'
    FROM publications
    CROSS JOIN LATERAL (SELECT CASE WHEN state = 'published' THEN published_at ELSE publish_sent_at END) AS sent (at)
    WHERE user_id = $1 AND account_id = $2 AND sent.at > now() - interval '24 hours'
      AND (state = 'published'
           OR (state IN ('outcome_unknown', 'scheduled', 'publishing', 'held') AND {_MAY_BE_SENT}))
    ORDER BY sent.at DESC
    OFFSET $3 - 1
    LIMIT 1
"""  # noqa: S608 - built of constants alone


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an account may publish now."""

    warmup: WarmUp | None  # as of now: a day that has passed is judged; None: no protocol, or it is over
    record: DayRecord | None  # of the warm-up's day
    slot: Slot | None  # the next free one; None: it may publish at once
    begins_day: int | None = None  # the day that the account's next publication begins
    health_cap: int | None = None  # publications in any 24 hours, of an account at risk without a warm-up


async def read_standing(connection: Connection, account: Row) -> Standing:
    """What an account may publish now. Nothing is written.

    Args:
        connection: any.
        account: the row as the claim reads it.
    """
    warmup = warmup_of(account)
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
        cap = health_cap_of(account)
        slot = slot or await _find_room(connection, account, cap)
        return Standing(warmup=None, record=None, slot=slot, begins_day=begins_day, health_cap=cap)
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


def warmup_of(account: Row) -> WarmUp | None:
    """Where an account stands in its protocol, as stored; None without one."""
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
        is_halved=_is_halved(account),
    )


def health_cap_of(account: Row) -> int | None:
    """Half of what the platform allows in 24 hours, for an account at risk; None if it is not, or nobody knows."""
    total: int | None = account["quota_total"]
    return halve(total) if total is not None and _is_halved(account) else None


def _is_halved(account: Row) -> bool:
    return bool(account["caution"] == Caution.HALVED)


async def _find_room(connection: Connection, account: Row, cap: int | None) -> Slot | None:
    at = None if cap is None else await connection.fetchval(_ROOM_AT, account["user_id"], account["id"], cap)
    return None if at is None else Slot(reason="health_cap", at=at)


async def _read(connection: Connection, account: Row, warmup: WarmUp) -> DayRecord:
    began_at = warmup.began_at or account["read_at"]
    [row] = await connection.fetch(_DAY_RECORD, account["user_id"], account["id"], began_at)
    return DayRecord(**row)
