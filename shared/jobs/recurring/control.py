"""Looking at recurring jobs, and a person's hand on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Connection, Row
from shared.errors import InstaDistroError
from shared.jobs.recurring.rows import make_firing, read_rule
from shared.jobs.repeat import RepeatRule
from shared.jobs.types import JobType
from shared.outbox import append

_MOST_LISTED = 1_000

#: The recurring jobs of a type ($1; NULL: all), for pages by `next_due_at`; `RecurringState.from_row` reads its rows.
LIST_RECURRING = """
    SELECT md5(name)::uuid AS id, name, type, user_id, account_id, every_ms, cron, zone, misfire, next_due_at,
           last_fired_at, paused_at, error
    FROM recurring_jobs
    WHERE $1::text IS NULL OR type = $1
"""
_LIST = f"""
    {LIST_RECURRING}
    ORDER BY next_due_at, name
    LIMIT $2
"""
_PAUSE = "UPDATE recurring_jobs SET paused_at = coalesce(paused_at, now()) WHERE name = $1 RETURNING name"
_LOCK = "SELECT *, now() AS now FROM recurring_jobs WHERE name = $1 FOR UPDATE"
_RESUME = "UPDATE recurring_jobs SET paused_at = NULL, error = NULL, next_due_at = $2 WHERE name = $1"
_FIRED = "UPDATE recurring_jobs SET last_fired_at = now() WHERE name = $1"
_REMOVE = "DELETE FROM recurring_jobs WHERE name = $1 RETURNING name"


class UnknownRecurringError(InstaDistroError):
    """No recurring job has this name. Look the name up with `list_recurring`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no recurring job named {name!r}. List the recurring jobs to see their names.")
        self.name = name


class BrokenRecurringError(InstaDistroError):
    """This version of the program cannot compute or fire the job. The text says why; add the job anew without it."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"the recurring job {name!r} is broken: {fault}. Add it anew with a rule and a type in use.")
        self.name = name


@dataclass(frozen=True, kw_only=True)
class RecurringState:
    """One recurring job as it stands."""

    name: str
    type: str  # of `JobType`, unless another version of the program added it
    rule: RepeatRule
    next_due_at: datetime
    last_fired_at: datetime | None
    paused_at: datetime | None
    error: str | None  # why the scheduler itself paused it
    user_id: UUID | None
    account_id: UUID | None

    @classmethod
    def from_row(cls, row: Row) -> RecurringState:
        """Read a row that has these columns."""
        return cls(
            name=row["name"],
            type=row["type"],
            rule=read_rule(row),
            next_due_at=row["next_due_at"],
            last_fired_at=row["last_fired_at"],
            paused_at=row["paused_at"],
            error=row["error"],
            user_id=row["user_id"],
            account_id=row["account_id"],
        )


async def list_recurring(
    connection: Connection, *, job_type: JobType | None = None, limit: int = 100
) -> list[RecurringState]:
    """The recurring jobs, those that are due first before the others; for operators, so of all tenants.

    Args:
        connection: any.
        job_type: only this type; None takes all.
        limit: most answered; never more than 1,000.
    """
    rows = await connection.fetch(_LIST, job_type, min(limit, _MOST_LISTED))
    return [RecurringState.from_row(row) for row in rows]


async def pause_recurring(tx: Connection, name: str) -> None:
    """Fire a job no more until it is resumed. A firing that is in the outbox or a queue already still runs.

    Raises:
        UnknownRecurringError: there is none of this name. Look it up.
    """
    if await tx.fetchval(_PAUSE, name) is None:
        raise UnknownRecurringError(name)


async def resume_recurring(tx: Connection, name: str) -> None:
    """Let a paused job fire again, from its next due time on. A pause is meant: what was due in it is not made up for.

    Raises:
        UnknownRecurringError: there is none of this name. Look it up.
        BrokenRecurringError: its rule cannot be computed. Add the job anew with another, then resume it.
    """
    row = await _lock(tx, name)
    if row["paused_at"] is None:
        return
    due, now = row["next_due_at"], row["now"]
    try:
        next_due_at = due if due > now else read_rule(row).next_after(due, now)
    except ValueError as error:
        raise BrokenRecurringError(name, str(error)) from error
    await tx.execute(_RESUME, name, next_due_at)


async def run_recurring_now(tx: Connection, name: str) -> None:
    """Fire a job once more at once, paused or not. Its due times stay as they are, and none of them ends this run.

    Raises:
        UnknownRecurringError: there is none of this name. Look it up.
        BrokenRecurringError: another version of the program added it. Use that one.
    """
    row = await _lock(tx, name)
    now: datetime = row["now"]
    try:
        # A subject of its own: a firing or a retry that waits in the outbox does not swallow this one.
        firing = make_firing(row, subject=f"{name}@{now.isoformat()}", now=now, next_due_at=None)
    except ValueError as error:
        raise BrokenRecurringError(name, str(error)) from error
    await append(tx, [firing])
    await tx.execute(_FIRED, name)


async def remove_recurring(tx: Connection, name: str) -> None:
    """End a job. A firing that is in the outbox or a queue already still runs.

    Raises:
        UnknownRecurringError: there is none of this name. Look it up.
    """
    if await tx.fetchval(_REMOVE, name) is None:
        raise UnknownRecurringError(name)


async def _lock(tx: Connection, name: str) -> Row:
    row = await tx.fetchrow(_LOCK, name)
    if row is None:
        raise UnknownRecurringError(name)
    return row
