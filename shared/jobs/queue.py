"""Adding jobs: into the caller's transaction, or straight to the broker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import msgspec

from shared.database import Connection, Pool
from shared.jobs import topology
from shared.jobs.envelope import Job, new_job, now_ms, to_outbox
from shared.jobs.options import JobOptions, get_job_options_by_type
from shared.jobs.outlet import Parcel
from shared.jobs.payloads import Payload
from shared.jobs.recurring import Recurring, add_recurring
from shared.jobs.sender import Sender
from shared.jobs.types import JobType
from shared.outbox import put_back


class JobQueue:
    """The door for new jobs."""

    def __init__(self, sender: Sender, pool: Pool) -> None:
        """Keep the ways out; nothing is opened.

        Args:
            sender: takes jobs that need no transaction to the broker.
            pool: keeps delays and repeats that come without a transaction of the caller's.
        """
        self._sender = sender
        self._pool = pool

    async def add(
        self, job_type: JobType, data: Payload, options: JobOptions | None = None, *, tx: Connection | None = None
    ) -> str | None:
        """Add a job.

        With `tx` it commits or vanishes together with the caller's data, and survives whatever happens to the broker.
        Without, it is confirmed by the broker when this returns and promises what the broker keeps. A delayed or
        repeated job waits in the database in either case.

        Args:
            job_type: what is to be done.
            data: its payload.
            options: how it is treated; None takes those of the type.
            tx: the caller's transaction.

        Returns:
            The job's id, or the name of a repeated job. None if one with the same unique key waits already.

        Raises:
            NotSentError: without `tx`: the broker did not confirm it. It may have it nevertheless; add it again.
            ValueError: a unique key without `tx` or `repeat`: only the database can enforce it.
        """
        [answer] = await self.add_many(job_type, [data], options, tx=tx)
        return answer

    async def add_many(
        self,
        job_type: JobType,
        items: Iterable[Payload],
        options: JobOptions | None = None,
        *,
        tx: Connection | None = None,
    ) -> list[str | None]:
        """Add one job for each payload, in one statement or with many confirms on the way at a time.

        Arguments, answer (in the order of the items) and errors are those of `add`. A unique key or a repeat names one
        job, and so takes one item.

        Raises:
            NotSentError: as for `add`; its `unsent` gives the places of those to add again.
            ValueError: as for `add`; or several items with one unique key.
        """
        options = options or get_job_options_by_type(job_type)
        payloads = list(items)
        if options.unique_key is not None and len(payloads) > 1:
            raise ValueError("a unique_key names one job; add them one by one, each with its own")
        if options.repeat is not None:
            return [await self._recur(_recurring(job_type, payload, options), tx) for payload in payloads]
        if options.unique_key is not None and tx is None:
            raise ValueError("unique_key needs tx=...: only the database can enforce it")
        added_ms = self._now_ms()
        jobs = [new_job(job_type, payload, options=options, added_ms=added_ms) for payload in payloads]
        if tx is not None or options.delay_ms:
            return await self._keep(jobs, tx)
        await self._send(jobs)
        return [job.id for job in jobs]

    # The ways out. The queue for tests has others, and all the rest in common.

    def _now_ms(self) -> int:
        return now_ms()

    async def _send(self, jobs: Sequence[Job]) -> None:
        await self._sender.publish_many([_parcel(job) for job in jobs])

    async def _keep(self, jobs: Sequence[Job], tx: Connection | None) -> list[str | None]:
        async with self._transaction(tx) as connection:
            # Not `append`: a job of this key that the relay is sending must not swallow this one, and one that waits
            # must not leave before the caller's data is there for both.
            added = await put_back(connection, [to_outbox(job) for job in jobs])
        # Ids are new, so only a unique key can be there already; and that is one job alone.
        return [job.id for job in jobs] if added else [None for _ in jobs]

    async def _recur(self, recurring: Recurring, tx: Connection | None) -> str:
        async with self._transaction(tx) as connection:
            await add_recurring(connection, [recurring])
        return recurring.name

    @asynccontextmanager
    async def _transaction(self, tx: Connection | None) -> AsyncIterator[Connection]:
        """The caller's, or one of our own."""
        if tx is not None:
            yield tx
            return
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection


def _recurring(job_type: JobType, payload: Payload, options: JobOptions) -> Recurring:
    if options.repeat is None or options.unique_key is None:
        raise ValueError("a repeated job needs repeat and unique_key")
    return Recurring(
        name=options.unique_key,
        type=job_type,
        payload=msgspec.json.encode(payload),
        version=payload.VERSION,
        rule=options.repeat,
        options=options,
        first_in_ms=options.delay_ms or None,
    )


def _parcel(job: Job) -> Parcel:
    return Parcel(
        exchange=topology.JOBS,
        routing_key=job.routing_key(),
        body=job.payload,
        headers={**job.headers, "x-due": str(now_ms())},
        priority=job.options.priority,
    )
