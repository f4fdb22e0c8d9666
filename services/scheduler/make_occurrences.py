"""Schedules that are due get their occurrences: a row for each due time, and a job for each that is to be published."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.scheduler.break_schedules import Broken, break_schedules
from services.scheduler.end_occurrence import count
from shared import metrics
from shared.database import Connection, Pool, Row
from shared.schedules import MOST_OF_ONE, Advance, RuleError, plan_occurrences, write_occurrences

_BATCH = 500
_MOST = 5_000
# Due and yet not taken: another scheduler is at it, or it came due a moment ago.
_BREATH_S = 0.02

# By schedules_due, in which one that is paused or removed stays for what came due before that. The lock lets others
# refer to the schedule, but neither make its occurrences nor change it.
_CLAIM = """
    SELECT id, user_id, name, cron, slots, timezone, dst_gap, dst_overlap, starts_at, ends_at, misfire, max_lateness_s,
           made_until, paused_at, removed_at, now() AS now
    FROM schedules
    WHERE next_at <= now() AND next_at <= least(paused_at, removed_at, 'infinity')
    ORDER BY next_at
    LIMIT $1
    FOR NO KEY UPDATE SKIP LOCKED
"""
# By schedules_pkey. Nothing is due of it until a person has mended and resumed it.
_GIVE_UP = "UPDATE schedules SET next_at = NULL WHERE id = ANY($1::uuid[])"
# Not now(), which has stood still since the transaction began.
_NEXT_DUE = """
    SELECT extract(epoch FROM min(next_at) - clock_timestamp())::float8
    FROM schedules
    WHERE next_at <= least(paused_at, removed_at, 'infinity')
"""


async def make_occurrences_once(pool: Pool) -> float | None:
    """Make what is due, the longest due first.

    Returns:
        Seconds until the next due time, 0 after a full batch; None if no schedule is due any more.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_CLAIM, _BATCH)
        advances, unread = await asyncio.to_thread(_plan, rows)
        made = await write_occurrences(connection, advances)
        await _give_up(connection, unread)
        next_due_s: float | None = await connection.fetchval(_NEXT_DUE)
    _count(made)
    if len(rows) == _BATCH:
        return 0.0
    return None if next_due_s is None else max(next_due_s, _BREATH_S)


def _plan(rows: Sequence[Row]) -> tuple[list[Advance], list[tuple[Row, str]]]:
    """How far each schedule comes, and why others cannot be computed; those without room wait for the next sweep."""
    advances, unread = [], []
    room = _MOST
    for row in rows:
        if room <= 0:
            break
        try:
            advance = plan_occurrences(row, now=row["now"], most=MOST_OF_ONE)
        except (RuleError, ValueError, OverflowError) as error:
            unread.append((row, str(error)))
        else:
            room -= len(advance.occurrences)
            advances.append(advance)
    return advances, unread


async def _give_up(tx: Connection, unread: Sequence[tuple[Row, str]]) -> None:
    if not unread:
        return
    await tx.execute(_GIVE_UP, [row["id"] for row, _ in unread])
    broken = [
        Broken(schedule_id=row["id"], user_id=row["user_id"], name=row["name"], error=error)
        for row, error in unread
        if row["paused_at"] is row["removed_at"] is None
    ]
    await break_schedules(tx, broken)


def _count(made: Sequence[Row]) -> None:
    for row in made:
        if row["state"] == "pending":
            metrics.schedule_lateness_seconds.observe(row["late_s"])
        else:
            count(row["state"], row["reason"])
