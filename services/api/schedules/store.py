"""SQL of schedules and of what became of their due times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from services.api.filters import filtered
from services.api.schedules.contract import (
    LeftOut,
    Misfire,
    NewSchedule,
    OccurrenceState,
    Schedule,
    ScheduleOccurrence,
    ScheduleState,
    SlotBody,
)
from services.api.schedules.local_time import local_time
from shared.database import Connection, Row
from shared.schedules import Gap, OccurrenceReason, Overlap

_COLUMNS = """name, cron, slots, timezone, dst_gap, dst_overlap, starts_at, ends_at, misfire, account_id, group_id,
           post_id, post_queue_id, window_s, min_gap_s, max_lateness_s"""
_STATE = """CASE WHEN paused_at IS NOT NULL AND error IS NOT NULL THEN 'broken'
                WHEN paused_at IS NOT NULL THEN 'paused'
                WHEN next_at IS NULL THEN 'ended'
                ELSE 'active' END"""
_LIST = f"""
    SELECT id, {_COLUMNS}, {_STATE} AS state, error, paused_at, created_at, updated_at,
           CASE WHEN paused_at IS NULL THEN next_at END AS next_at
    FROM schedules
    WHERE user_id = $1 AND removed_at IS NULL
"""  # noqa: S608 - built of constants alone
_FIND = f"{_LIST} AND id = $2"
# No due time of it is made meanwhile, and none is dealt with.
_LOCK = f"""
    SELECT id, user_id, {_COLUMNS}, paused_at, removed_at, made_until, now() AS now,
           greatest(made_until, now()) AS from_now
    FROM schedules
    WHERE user_id = $1 AND id = $2 AND removed_at IS NULL
    FOR NO KEY UPDATE
"""  # noqa: S608 - built of constants alone
_NOW = "SELECT now()"
_INSERT = f"""
    INSERT INTO schedules (id, user_id, {_COLUMNS}, made_until, next_at)
    VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, now(), $19)
    RETURNING id
"""  # noqa: S608 - built of constants alone
_UPDATE = """
    UPDATE schedules
    SET name = $3, cron = $4, slots = $5::jsonb, timezone = $6, dst_gap = $7, dst_overlap = $8, starts_at = $9,
        ends_at = $10, misfire = $11, account_id = $12, group_id = $13, post_id = $14, post_queue_id = $15,
        window_s = $16, min_gap_s = $17, max_lateness_s = $18, updated_at = now()
    WHERE user_id = $1 AND id = $2
"""
_BEGIN_ANEW = "UPDATE schedules SET made_until = $3, next_at = $4 WHERE user_id = $1 AND id = $2"
_PAUSE = """
    UPDATE schedules
    SET paused_at = now(), updated_at = now()
    WHERE user_id = $1 AND id = $2 AND paused_at IS NULL
"""
_RESUME = """
    UPDATE schedules
    SET paused_at = NULL, error = NULL, made_until = $3, next_at = $4, updated_at = now()
    WHERE user_id = $1 AND id = $2
"""
_REMOVE = "UPDATE schedules SET removed_at = now() WHERE user_id = $1 AND id = $2"
_OCCURRENCES = """
    SELECT id, schedule_id, local_date, slot, due_at, state, reason, post_id, distribution_id, publications, conflicts,
           conflict_count, created_at, processed_at
    FROM schedule_occurrences
    WHERE user_id = $1
"""


def list_query(
    user_id: UUID,
    *,
    state: str | None = None,
    account_id: UUID | None = None,
    group_id: UUID | None = None,
    post_id: UUID | None = None,
    post_queue_id: UUID | None = None,
) -> tuple[str, list[Any]]:
    """The statement that selects a user's schedules."""
    clauses = {
        _STATE + " = {}": state,
        "account_id = {}": account_id,
        "group_id = {}": group_id,
        "post_id = {}": post_id,
        "post_queue_id = {}": post_queue_id,
    }
    return filtered(_LIST, user_id, clauses=clauses)


def occurrences_query(user_id: UUID, *, schedule_id: UUID | None, state: str | None = None) -> tuple[str, list[Any]]:
    """The statement that selects the due times of one of the user's schedules."""
    return filtered(_OCCURRENCES, user_id, clauses={"schedule_id = {}": schedule_id, "state = {}": state})


async def read_now(connection: Connection) -> datetime:
    """The database's time: of the transaction's begin, within one."""
    now: datetime = await connection.fetchval(_NOW)
    return now


async def find(connection: Connection, schedule_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's schedules."""
    return await connection.fetchrow(_FIND, user_id, schedule_id)


async def lock(tx: Connection, schedule_id: UUID, *, user_id: UUID) -> Row | None:
    """Hold one of the user's schedules as it is until the transaction ends. Before all that it names."""
    return await tx.fetchrow(_LOCK, user_id, schedule_id)


async def insert(tx: Connection, new: NewSchedule, *, next_at: datetime | None, user_id: UUID) -> UUID:
    """Make a schedule whose due times count from now on; returns its id."""
    schedule_id: UUID = await tx.fetchval(_INSERT, uuid7(), user_id, *_values(new), next_at)
    return schedule_id


async def update(tx: Connection, schedule_id: UUID, wanted: NewSchedule, *, user_id: UUID) -> None:
    """Let a schedule say something else."""
    await tx.execute(_UPDATE, user_id, schedule_id, *_values(wanted))


async def begin_anew(
    tx: Connection, schedule_id: UUID, *, after: datetime, next_at: datetime | None, user_id: UUID
) -> None:
    """Count due times after this moment, of which the first is given."""
    await tx.execute(_BEGIN_ANEW, user_id, schedule_id, after, next_at)


async def pause(tx: Connection, schedule_id: UUID, *, user_id: UUID) -> None:
    """Let nothing of it be due; one that is paused stays so, for the reason that it has."""
    await tx.execute(_PAUSE, user_id, schedule_id)


async def resume(
    tx: Connection, schedule_id: UUID, *, after: datetime, next_at: datetime | None, user_id: UUID
) -> None:
    """Let it go on with what is due after this moment."""
    await tx.execute(_RESUME, user_id, schedule_id, after, next_at)


async def remove(tx: Connection, schedule_id: UUID, *, user_id: UUID) -> None:
    """Note that a schedule was removed; what it made stays."""
    await tx.execute(_REMOVE, user_id, schedule_id)


def wish_of(row: Row) -> NewSchedule:
    """What a client would send to have the schedule of a row."""
    kept = {name: row[name] for name in NewSchedule.__struct_fields__}
    decoded = {
        "slots": None if row["slots"] is None else msgspec.json.decode(row["slots"], type=list[SlotBody]),
        "dst_gap": Gap(row["dst_gap"]),
        "dst_overlap": Overlap(row["dst_overlap"]),
        "misfire": Misfire(row["misfire"]),
    }
    return NewSchedule(**kept | decoded)


def present(row: Row) -> Schedule:
    """A schedule as clients see it."""
    wish = msgspec.structs.asdict(wish_of(row))
    own = {name: row[name] for name in ("id", "error", "paused_at", "next_at", "created_at", "updated_at")}
    local = None if row["next_at"] is None else local_time(row["next_at"], timezone=row["timezone"])
    return Schedule(**wish, **own, state=ScheduleState(row["state"]), next_local=local)


def present_occurrence(row: Row) -> ScheduleOccurrence:
    """What became of a due time, as clients see it."""
    decoded = {
        "state": OccurrenceState(row["state"]),
        "reason": None if row["reason"] is None else OccurrenceReason(row["reason"]),
        "conflicts": msgspec.json.decode(row["conflicts"], type=list[LeftOut]),
    }
    return ScheduleOccurrence(**dict(row) | decoded)


def _values(wish: NewSchedule) -> Sequence[Any]:
    values = msgspec.structs.asdict(wish)
    slots = None if wish.slots is None else json.dumps(msgspec.to_builtins(wish.slots))
    return list((values | {"slots": slots}).values())
