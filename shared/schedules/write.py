"""Writing occurrences, with the jobs of those that are to be published and the events of those that are not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from uuid_utils.compat import uuid7

from shared.database import Connection, Row
from shared.errors import InstaDistroError
from shared.outbox import Event, append, record_events
from shared.schedules.job import occurrence_job
from shared.schedules.plan import Advance, plan_occurrences

#: So many due times of one schedule are made at once.
MOST_OF_ONE = 500
_MOST_SETTLED = 10 * MOST_OF_ONE

# One that is there already stays as it is: a rule was changed, and names the same time again.
_INSERT = """
    INSERT INTO schedule_occurrences (id, user_id, schedule_id, local_date, slot, due_at, state, reason, processed_at)
    SELECT id, user_id, schedule_id, local_date, slot, due_at, state, reason,
           CASE WHEN state <> 'pending' THEN now() END
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::date[], $5::text[], $6::timestamptz[], $7::text[], $8::text[])
         AS new (id, user_id, schedule_id, local_date, slot, due_at, state, reason)
    ON CONFLICT (schedule_id, local_date, slot) DO NOTHING
    RETURNING id, user_id, schedule_id, local_date, slot, due_at, state, reason, post_id, distribution_id, publications,
              conflict_count, extract(epoch FROM now() - due_at)::float8 AS late_s
"""
# By schedules_pkey.
_MOVE_ON = """
    UPDATE schedules
    SET made_until = done.made_until, next_at = done.next_at
    FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS done (id, made_until, next_at)
    WHERE schedules.id = done.id
"""


class UnsettledError(InstaDistroError):
    """More due times have come than are made at once. Let the scheduler make them first, then try again."""


async def settle(tx: Connection, row: Row, *, now: datetime) -> None:
    """Make what has come due by the rule as it stands, before another one counts.

    Args:
        tx: the caller's transaction, which holds the schedule.
        row: of `schedules`.
        now: the database's time.

    Raises:
        RuleError: the rule cannot be computed any more: nothing can be told of its due times.
        UnsettledError: no scheduler has run for weeks.
    """
    made_until, made = row["made_until"], 0
    while made < _MOST_SETTLED:
        reached = {**row, "made_until": made_until}
        advance = await asyncio.to_thread(plan_occurrences, reached, now=now, most=MOST_OF_ONE)
        await write_occurrences(tx, [advance])
        if advance.is_all:
            return
        made_until, made = advance.made_until, made + len(advance.occurrences)
    raise UnsettledError(
        f"More than {_MOST_SETTLED:,} due times of the schedule have come and are not made: no scheduler runs. "
        "Start one, and try again a minute later."
    )


async def write_occurrences(tx: Connection, advances: Sequence[Advance]) -> list[Row]:
    """Write what is planned, and how far these schedules have come, whose rows the caller holds.

    Returns:
        The rows that were not there yet, with `late_s`: seconds since they were due.
    """
    if not advances:
        return []
    new = [occurrence for advance in advances for occurrence in advance.occurrences]
    made: list[Row] = await tx.fetch(
        _INSERT,
        [uuid7() for _ in new],
        [occurrence.user_id for occurrence in new],
        [occurrence.schedule_id for occurrence in new],
        [occurrence.local_date for occurrence in new],
        [occurrence.slot for occurrence in new],
        [occurrence.due_at for occurrence in new],
        [occurrence.state for occurrence in new],
        [occurrence.reason for occurrence in new],
    )
    await tx.execute(
        _MOVE_ON,
        [advance.schedule_id for advance in advances],
        [advance.made_until for advance in advances],
        [advance.next_at for advance in advances],
    )
    pending = [row for row in made if row["state"] == "pending"]
    await append(tx, [occurrence_job(row["id"], user_id=row["user_id"]) for row in pending])
    await record_events(tx, [occurred(row) for row in made if row["state"] != "pending"])
    return made


def occurred(row: Row) -> Event:
    """The event of an occurrence that was dealt with."""
    ids = ("post_id", "distribution_id")
    payload = {
        "occurrence_id": str(row["id"]),
        "local_date": row["local_date"].isoformat(),
        "slot": row["slot"],
        "due_at": row["due_at"].isoformat(),
        "state": row["state"],
        "reason": row["reason"],
        **{name: None if row[name] is None else str(row[name]) for name in ids},
        "publications": row["publications"],
        "conflict_count": row["conflict_count"],
    }
    return Event(user_id=row["user_id"], type="schedule.occurred", subject=row["schedule_id"], payload=payload)
