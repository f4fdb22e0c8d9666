"""Dead jobs: those that can never succeed, kept with all they carried until they are sent back or let go."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from shared.database import Connection, Pool, Row
from shared.jobs.types import JobPriority

#: Behind a SELECT: the dead jobs that a `DeadFilter` means, whose arguments are $1 to $5.
MEANT = """
    FROM dead_jobs
    WHERE ($1::text IS NULL OR type = $1)
      AND ($2::text IS NULL OR reason = $2)
      AND ($3::text IS NULL OR subject = $3)
      AND died_at >= coalesce($4::timestamptz, '-infinity')
      AND died_at < coalesce($5::timestamptz, 'infinity')
"""
#: The dead jobs that a `DeadFilter` means, for pages by `died_at`; `DeadJob.from_row` reads its rows.
LIST_DEAD = f"SELECT * {MEANT}"
_LIST = f"""
    SELECT * {MEANT}
      AND (died_at, id) < (coalesce($6::timestamptz, 'infinity'), $7::uuid)
    ORDER BY died_at DESC, id DESC
    LIMIT $8
"""
_OLDEST = f"""
    SELECT * {MEANT}
      AND (died_at, id) > (coalesce($6::timestamptz, '-infinity'), $7::uuid)
    ORDER BY died_at, id
    LIMIT $8
    FOR UPDATE SKIP LOCKED
"""
_COUNT = f"""
    SELECT type, reason, count(*) AS count, min(died_at) AS oldest, max(died_at) AS newest {MEANT}
    GROUP BY type, reason
    ORDER BY count DESC, type, reason
"""
_READ = "SELECT * FROM dead_jobs WHERE id = $1"
_LOCK = "SELECT * FROM dead_jobs WHERE id = ANY($1::uuid[]) ORDER BY died_at, id FOR UPDATE"

#: Told how many more dead jobs a long command has dealt with.
Progress: TypeAlias = Callable[[int], None]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that failed."""

    attempt: int
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    error: str


@dataclass(frozen=True, kw_only=True)
class DeadJob:
    """One row of `dead_jobs`."""

    id: UUID  # the job's own id; made from its content if it had none
    type: str  # `unreadable` if it was no job of this system
    subject: str
    reason: str
    error: str | None
    attempt: int  # the number of its last run
    priority: JobPriority
    failures: Sequence[Failure]  # oldest first
    payload: bytes
    headers: Mapping[str, str]
    died_at: datetime  # when it was parked

    @classmethod
    def from_row(cls, row: Row) -> DeadJob:
        """Read a row that has all columns."""
        return cls(
            id=row["id"],
            type=row["type"],
            subject=row["subject"],
            reason=row["reason"],
            error=row["error"],
            attempt=row["attempt"],
            priority=JobPriority(row["priority"]),
            failures=msgspec.json.decode(row["failures"], type=tuple[Failure, ...]),
            payload=row["payload"],
            headers=json.loads(row["headers"]),
            died_at=row["died_at"],
        )


@dataclass(frozen=True, kw_only=True)
class DeadFilter:
    """Which dead jobs are meant; what is None leaves all of them."""

    type: str | None = None
    reason: str | None = None
    subject: str | None = None
    died_after: datetime | None = None  # aware; itself included
    died_before: datetime | None = None  # aware; itself not included

    @property
    def arguments(self) -> tuple[object, ...]:
        """$1 to $5 of `MEANT`."""
        return (self.type, self.reason, self.subject, self.died_after, self.died_before)


@dataclass(frozen=True, kw_only=True)
class DeadCount:
    """How many jobs of one type died of one reason."""

    type: str
    reason: str
    count: int
    oldest: datetime
    newest: datetime


async def list_dead(
    connection: Connection, which: DeadFilter, *, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[DeadJob]:
    """A page of dead jobs, newest first.

    Args:
        connection: to the database.
        which: those that are meant.
        limit: most jobs on the page.
        before: `died_at` and `id` of the last job of the page before; None for the first page.
    """
    rows = await connection.fetch(_LIST, *which.arguments, *(before or (None, None)), limit)
    return [DeadJob.from_row(row) for row in rows]


async def count_dead(connection: Connection, which: DeadFilter) -> list[DeadCount]:
    """How many there are, by type and reason; the most frequent first."""
    return [DeadCount(**dict(row)) for row in await connection.fetch(_COUNT, *which.arguments)]


async def read_dead(connection: Connection, dead_id: UUID) -> DeadJob | None:
    """One dead job; None if there is none of this id."""
    row = await connection.fetchrow(_READ, dead_id)
    return None if row is None else DeadJob.from_row(row)


async def lock_dead(tx: Connection, dead_ids: Sequence[UUID]) -> list[DeadJob]:
    """Those of these ids that exist, kept from everybody else until the transaction ends."""
    return [DeadJob.from_row(row) for row in await tx.fetch(_LOCK, list(dead_ids))]


async def lock_oldest(
    tx: Connection, which: DeadFilter, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[DeadJob]:
    """The next dead jobs in the order of their death that nobody else holds, kept until the transaction ends."""
    rows = await tx.fetch(_OLDEST, *which.arguments, *(after or (None, None)), limit)
    return [DeadJob.from_row(row) for row in rows]


async def until_now(pool: Pool, which: DeadFilter) -> DeadFilter:
    """The same, without those that die from now on: a command ends, however fast new ones come."""
    now = await pool.fetchval("SELECT now()")
    return replace(which, died_before=min(which.died_before or now, now))
