"""Sending dead jobs back: into the outbox as a new life, and out of the dead jobs in the same transaction."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg

from shared.database import Connection, Pool
from shared.jobs import topology
from shared.jobs.dead import DeadFilter, DeadJob, Progress, lock_dead, lock_oldest, until_now
from shared.jobs.envelope import read_job, to_outbox
from shared.outbox import Message, append

_BATCH = 500
_LEAST_RATE_PER_S = 0.01
# What comes of a payload that the outbox cannot hold.
_NO_JSON = (UnicodeDecodeError, asyncpg.DataError, asyncpg.StatementTooComplexError)

#: Why a dead job stays.
UNKNOWN = "there is no dead job of this id"
UNREADABLE = "it is no job that this version can read"
NOT_JSON = "its payload is no JSON that PostgreSQL can hold"
WAITS = "a job of the same type and subject waits to be sent already"

# A new life is told from whatever else waits under its name by the job's id and by its number of lives.
_LEAVE = """
    DELETE FROM dead_jobs AS d
    USING outbox AS o
    WHERE d.id = ANY($1::uuid[])
      AND o.type = d.type AND o.subject = coalesce(d.headers ->> 'x-subject', d.headers ->> 'x-job-id')
      AND o.headers ->> 'x-job-id' = d.headers ->> 'x-job-id'
      AND o.headers ->> 'x-redriven' IS DISTINCT FROM d.headers ->> 'x-redriven'
    RETURNING d.id
"""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A dead job that stays where it is."""

    id: UUID
    reason: str  # a sentence


@dataclass(frozen=True, kw_only=True)
class Redriven:
    """What came of a redrive."""

    count: int  # went back
    refused: Sequence[Refused]


async def redrive(
    tx: Connection, dead_ids: Sequence[UUID], *, rate_per_s: float | None = None, dry_run: bool = False
) -> Redriven:
    """Send dead jobs back to their queues, each as a new life with all its attempts before it.

    Args:
        tx: the caller's transaction.
        dead_ids: which; some hundreds at most.
        rate_per_s: how many come due in a second, 0.01 or more; None: all at once.
        dry_run: only say what would come of it.

    Raises:
        ValueError: the rate is too low. Mend the call.
    """
    run = _Run(rate_per_s=rate_per_s, dry_run=dry_run)
    jobs = await lock_dead(tx, dead_ids)
    await run.send_back(tx, jobs)
    unknown = set(dead_ids) - {job.id for job in jobs}
    run.refused += [Refused(id=dead_id, reason=UNKNOWN) for dead_id in sorted(unknown)]
    return Redriven(count=run.count, refused=run.refused)


async def redrive_many(
    pool: Pool,
    which: DeadFilter,
    *,
    limit: int,
    rate_per_s: float | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Redriven:
    """Send back all that are meant and dead at this moment, oldest first, in batches with a transaction each.

    Of several with the same type and subject only the oldest goes; the others stay, as they would beside a job that
    waits already.

    Args:
        pool: the database.
        which: those that are meant.
        limit: most jobs looked at.
        rate_per_s: as for `redrive`.
        dry_run: only say what would come of it.
        progress: told after each batch.

    Raises:
        ValueError: the rate is too low. Mend the call.
    """
    run = _Run(rate_per_s=rate_per_s, dry_run=dry_run)
    which = await until_now(pool, which)
    await _sweep(run, which, limit=limit, begin=partial(_begin, pool), progress=progress)
    return Redriven(count=run.count, refused=run.refused)


async def redrive_oldest(
    tx: Connection, which: DeadFilter, *, limit: int, rate_per_s: float | None = None, dry_run: bool = False
) -> Redriven:
    """As `redrive_many`, but in the caller's transaction, and so for some thousands at most.

    Raises:
        ValueError: the rate is too low. Mend the call.
    """
    run = _Run(rate_per_s=rate_per_s, dry_run=dry_run)
    await _sweep(run, which, limit=limit, begin=lambda: nullcontext(tx))
    return Redriven(count=run.count, refused=run.refused)


async def _sweep(
    run: _Run,
    which: DeadFilter,
    *,
    limit: int,
    begin: Callable[[], AbstractAsyncContextManager[Connection]],
    progress: Progress | None = None,
) -> None:
    after, left = None, limit
    while left > 0:
        size = min(_BATCH, left)
        async with begin() as tx:
            jobs = await lock_oldest(tx, which, limit=size, after=after)
            await run.send_back(tx, jobs)
        if progress is not None:
            progress(len(jobs))
        if len(jobs) < size:
            break
        after, left = (jobs[-1].died_at, jobs[-1].id), left - size


@asynccontextmanager
async def _begin(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection, connection.transaction():
        yield connection


class _Run:
    """One redrive, over any number of transactions."""

    def __init__(self, *, rate_per_s: float | None, dry_run: bool) -> None:
        if rate_per_s is not None and not _LEAST_RATE_PER_S <= rate_per_s < math.inf:
            raise ValueError(f"the rate must be at least {_LEAST_RATE_PER_S} a second")
        self.count = 0
        self.refused: list[Refused] = []
        self._every_ms = 0.0 if rate_per_s is None else 1000 / rate_per_s
        self._dry_run = dry_run
        self._names: set[tuple[str, str]] = set()

    async def send_back(self, tx: Connection, jobs: Sequence[DeadJob]) -> None:
        """Move what can be moved; note why the rest stays."""
        messages = self._new_lives(jobs)
        trial = tx.transaction()
        await trial.start()
        not_json = await _append(tx, messages)
        rows = await tx.fetch(_LEAVE, list(messages))
        await (trial.rollback() if self._dry_run else trial.commit())
        left = {row["id"] for row in rows}
        self.count += len(left)
        self._names |= {(message.type, message.subject) for id_, message in messages.items() if id_ in left}
        self.refused += [
            Refused(id=id_, reason=NOT_JSON if id_ in not_json else WAITS) for id_ in messages if id_ not in left
        ]

    def _new_lives(self, jobs: Sequence[DeadJob]) -> dict[UUID, Message]:
        """The messages of those that are jobs, and whose name nobody in this run has taken."""
        messages: dict[UUID, Message] = {}
        for job in jobs:
            try:
                # Each batch counts from its own, later, now: never faster than the rate, at most a little slower.
                message = _new_life(job, due_in_ms=round(self._every_ms * (self.count + len(messages))))
            except ValueError:
                self.refused.append(Refused(id=job.id, reason=UNREADABLE))
                continue
            if (message.type, message.subject) in self._names:
                self.refused.append(Refused(id=job.id, reason=WAITS))
            else:
                messages[job.id] = message
        return messages


def _new_life(dead: DeadJob, *, due_in_ms: int) -> Message:
    job = read_job(
        routing_key=f"{topology.NOW}.dead.{dead.type}",
        headers=dead.headers,
        priority=dead.priority.amqp,
        body=dead.payload,
    )
    reborn = job.with_headers(
        redriven=str(int(dead.headers.get("x-redriven", 0)) + 1),
        # What it may have killed workers with, it may still have: it runs alone.
        suspect="1" if dead.reason == "crash_loop" else None,
        attempt=None,
        failures=None,
        deadline=None,
        due=None,
        away=None,
    )
    return to_outbox(reborn, due_in_ms=due_in_ms)


async def _append(tx: Connection, messages: Mapping[UUID, Message]) -> set[UUID]:
    """Append them to the outbox; answers those whose payload it cannot hold."""
    try:
        async with tx.transaction():
            await append(tx, list(messages.values()))
    except _NO_JSON:
        if len(messages) == 1:
            return set(messages)
        # One of them keeps none of the others back.
        return set().union(*[await _append(tx, {id_: message}) for id_, message in messages.items()])
    return set()
