"""Turning due times into jobs, each once, however many schedulers look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from shared.database import Connection, Row
from shared.jobs.recurring.plan import Plan, plan_firings
from shared.jobs.recurring.rows import make_firing, read_rule
from shared.jobs.repeat import Misfire
from shared.jobs.types import JobType
from shared.outbox import Message, append, replace

log = structlog.get_logger()

# A type that only a newer version knows is left to the schedulers of that version.
_CLAIM = """
    SELECT name, type, payload, version, options, every_ms, cron, zone, misfire, next_due_at, now() AS now
    FROM recurring_jobs
    WHERE paused_at IS NULL AND next_due_at <= now() AND type = ANY($2::text[])
    ORDER BY next_due_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
"""
_MOVE_ON = """
    UPDATE recurring_jobs AS r
    SET next_due_at = done.next_due_at,
        last_fired_at = CASE WHEN done.fired THEN now() ELSE r.last_fired_at END
    FROM unnest($1::text[], $2::timestamptz[], $3::boolean[]) AS done (name, next_due_at, fired)
    WHERE r.name = done.name
"""
_GIVE_UP = "UPDATE recurring_jobs SET paused_at = now(), error = $2 WHERE name = $1"
# Not now(), which has stood still since the transaction began.
_NEXT_DUE = """
    SELECT extract(epoch FROM min(next_due_at) - clock_timestamp())::float8
    FROM recurring_jobs
    WHERE paused_at IS NULL AND type = ANY($1::text[])
"""
_TYPES = [job_type.value for job_type in JobType]


@dataclass(frozen=True, kw_only=True)
class Fired:
    """What one sweep did."""

    claimed: int  # jobs that were due
    fired: Counter[str]  # firings, by type
    missed: Counter[tuple[str, str]]  # by type and misfire policy; counted as in `Plan`
    broken: Counter[str]  # by type: jobs that cannot be computed any more, paused with an error
    next_due_s: float | None  # seconds to the next due time, 0 or less if one has come; None if nothing recurs


@dataclass(frozen=True, kw_only=True)
class Due:
    """A row that is due, what becomes of it, and the messages that say so."""

    row: Row
    plan: Plan
    messages: list[Message]


async def fire_due(tx: Connection, *, limit: int) -> Fired:
    """Fire what is due, the longest due first.

    A due time fires once: the row is locked, and moves on in the transaction that writes the job to the outbox. A job
    that cannot be computed any more is paused with an error; the others go on.

    Args:
        tx: a connection in a transaction of its own.
        limit: most jobs, and most firings, of this sweep.
    """
    rows = await tx.fetch(_CLAIM, limit, _TYPES)
    dues, broken = [], Counter[str]()
    for row in rows:
        try:
            dues.append(plan_row(row, most=limit // len(rows)))
        except (ValueError, OverflowError) as error:
            log.error("recurring.broken", name=row["name"], type=row["type"], error=str(error))
            await tx.execute(_GIVE_UP, row["name"], str(error))
            broken[row["type"]] += 1
    await _write(tx, dues)
    fired, missed = _count(dues)
    next_due_s = await tx.fetchval(_NEXT_DUE, _TYPES)
    return Fired(claimed=len(rows), fired=fired, missed=missed, broken=broken, next_due_s=next_due_s)


def plan_row(row: Row, *, most: int) -> Due:
    """Decide what becomes of a row that is due.

    Args:
        row: with the columns that a sweep claims.
        most: firings at a time where missed due times are made up for one by one.

    Raises:
        ValueError: it cannot be computed, or is not of this version. Pause it, tell a person.
    """
    rule, name, now = read_rule(row), row["name"], row["now"]
    plan = plan_firings(rule, due=row["next_due_at"], now=now, most=most)
    if rule.misfire is Misfire.CATCH_UP:
        # Every due time counts: each has a subject of its own in the outbox, and none is ended by the next.
        messages = [
            make_firing(row, subject=f"{name}@{due.isoformat()}", now=now, next_due_at=None) for due in plan.dues
        ]
    else:
        messages = [make_firing(row, subject=name, now=now, next_due_at=plan.next_due_at) for _ in plan.dues]
    return Due(row=row, plan=plan, messages=messages)


async def _write(tx: Connection, dues: Sequence[Due]) -> None:
    catching_up = [due for due in dues if due.row["misfire"] == Misfire.CATCH_UP]
    others = [due for due in dues if due.row["misfire"] != Misfire.CATCH_UP]
    await append(tx, [message for due in catching_up for message in due.messages])
    # What still waits under the job's name, unsent or to be tried again, is ended by this due time: left in its place
    # it would keep the new firing out, and then be too late to run itself.
    await replace(tx, [message for due in others for message in due.messages])
    await tx.execute(
        _MOVE_ON,
        [due.row["name"] for due in dues],
        [due.plan.next_due_at for due in dues],
        [bool(due.messages) for due in dues],
    )


def _count(dues: Sequence[Due]) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    fired, missed = Counter[str](), Counter[tuple[str, str]]()
    for due in dues:
        fired[due.row["type"]] += len(due.messages)
        missed[due.row["type"], due.row["misfire"]] += due.plan.missed
    return fired, missed
