"""`/v1/jobs`: the jobs of all tenants, for operators."""

from __future__ import annotations

import asyncio
from uuid import UUID

from services.api.call import Call
from services.api.http import (
    Answer,
    NoQuery,
    Order,
    Page,
    ProblemError,
    Scope,
    answer,
    answer_page,
    fetch_page,
    no_content,
    not_found,
)
from services.api.jobs.choose_dead import choose_dead, choose_some
from services.api.jobs.contract import (
    Cleanup,
    CleanupQuery,
    DeadJob,
    DeadJobInFull,
    DeadQuery,
    Discarded,
    DiscardQuery,
    Queues,
    RecurringJob,
    RecurringQuery,
    Redrive,
    Redriven,
    Stats,
)
from services.api.jobs.present_jobs import (
    present_cleanup,
    present_dead,
    present_dead_in_full,
    present_recurring,
    present_redriven,
    present_stats,
)
from services.api.routing import delete, get, post
from shared.cleanup import choose_policies, count_old
from shared.database import Connection
from shared.jobs import (
    LIST_DEAD,
    LIST_RECURRING,
    CleanUp,
    DeadFilter,
    JobType,
    NotSentError,
    count_dead,
    discard,
    discard_oldest,
    new_job,
    read_dead,
    read_stats,
    redrive,
    redrive_oldest,
    to_outbox,
)
from shared.outbox import append, read_backlog
from shared.pagination import SortColumn, SortDirection

_BROKER_DEADLINE_S = 10.0
# One that waits already is enough, however often somebody asks.
_CLEANUP_SUBJECT = "asked"
_LATEST_DEATH_FIRST = Order(column=SortColumn.DIED_AT, direction=SortDirection.DESC)
_NEXT_DUE_FIRST = Order(column=SortColumn.NEXT_DUE_AT, direction=SortDirection.ASC)


async def show_stats(call: Call[NoQuery, None]) -> Answer[Stats]:
    """What all processes have done, what is due, and what died."""
    async with call.connect() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        types, backlog = await read_stats(connection), await read_backlog(connection)
        return answer(present_stats(types, backlog, await count_dead(connection, DeadFilter())))


async def show_queues(call: Call[NoQuery, None]) -> Answer[Queues]:
    """How many messages wait in each queue of the broker, by its own count at this moment."""
    try:
        async with asyncio.timeout(_BROKER_DEADLINE_S):
            return answer(Queues(queues=await call.deps.sender.depths()))
    except (NotSentError, TimeoutError) as error:
        detail = "The broker does not answer, so that nobody knows what waits there. Try again shortly."
        raise ProblemError("not_ready", detail, headers={"Retry-After": "5"}) from error


async def list_dead(call: Call[DeadQuery, None]) -> Answer[Page[DeadJob]]:
    """One page of dead jobs, the latest death first."""
    args = choose_dead(call.query).arguments
    async with call.connect() as connection:
        page = await fetch_page(
            connection, LIST_DEAD, args, page=call.page, present=present_dead, order=_LATEST_DEATH_FIRST
        )
    return answer_page(call.request, page)


async def get_dead(call: Call[NoQuery, None]) -> Answer[DeadJobInFull]:
    """One dead job with all that it carried: every run, headers and payload."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("dead job")))


async def redrive_one(call: Call[NoQuery, None]) -> Answer[Redriven]:
    """Send a dead job back, with all its attempts before it."""
    dead_id = call.id("dead job")
    async with call.begin() as tx:
        job = await _find(tx, dead_id)
        report = present_redriven(await redrive(tx, [dead_id]), limit=2, dry_run=False)
        if report.refused:
            raise ProblemError("state_conflict", report.refused[0].reason)
        await call.audit(
            tx, "dead_job.redriven", ("dead_job", dead_id), before={"type": job.type, "reason": job.reason}
        )
        return await call.keep(tx, answer(report))


async def redrive_some(call: Call[NoQuery, Redrive]) -> Answer[Redriven]:
    """Send many dead jobs back, the oldest first, each with all its attempts before it."""
    wish, which = call.body, choose_some(call.body)
    async with call.begin() as tx:
        done = await redrive_oldest(tx, which, limit=wish.limit, rate_per_s=wish.rate_per_s, dry_run=wish.dry_run)
        report = present_redriven(done, limit=wish.limit, dry_run=wish.dry_run)
        if report.redriven and not wish.dry_run:
            told = {"filter": which, "redriven": report.redriven, "refused": len(report.refused)}
            await call.audit(tx, "dead_jobs.redriven", ("user", call.user_id), after=told)
        return await call.keep(tx, answer(report))


async def discard_one(call: Call[NoQuery, None]) -> Answer[None]:
    """Let a dead job go for good."""
    dead_id = call.id("dead job")
    async with call.begin() as tx:
        job = await _find(tx, dead_id)
        call.require_match(answer(job))
        if not await discard(tx, [dead_id]):
            raise not_found("dead job")
        before = {"type": job.type, "subject": job.subject, "reason": job.reason, "died_at": job.died_at}
        await call.audit(tx, "dead_job.discarded", ("dead_job", dead_id), before=before)
    return no_content()


async def discard_some(call: Call[DiscardQuery, None]) -> Answer[Discarded]:
    """Let many dead jobs go for good, the oldest first."""
    wish, which = call.query, choose_some(call.query)
    async with call.begin() as tx:
        gone = await discard_oldest(tx, which, limit=wish.limit)
        if gone:
            told = {"filter": which, "discarded": gone}
            await call.audit(tx, "dead_jobs.discarded", ("user", call.user_id), after=told)
    return answer(Discarded(discarded=gone, more=gone >= wish.limit))


async def clean_up(call: Call[CleanupQuery, None]) -> Answer[Cleanup]:
    """Let go what is old now, or only count it."""
    dry_run, settings = call.query.dry_run, call.deps.settings
    policies = choose_policies(
        archive_after_days=settings.archive_after_days, archive_keep_days=settings.archive_keep_days
    )
    async with call.begin() as tx:
        told = present_cleanup(await count_old(tx, policies), dry_run=dry_run)
        if dry_run:
            return await call.keep(tx, answer(told))
        await append(tx, [to_outbox(new_job(JobType.CLEANUP_OLD_JOBS, CleanUp(), subject=_CLEANUP_SUBJECT))])
        await call.audit(tx, "cleanup.started", ("user", call.user_id), after=told)
        return await call.keep(tx, answer(told, status=202))


async def list_recurring(call: Call[RecurringQuery, None]) -> Answer[Page[RecurringJob]]:
    """One page of recurring jobs, the next to come first."""
    async with call.connect() as connection:
        page = await fetch_page(
            connection,
            LIST_RECURRING,
            [call.query.type],
            page=call.page,
            present=present_recurring,
            order=_NEXT_DUE_FIRST,
        )
    return answer_page(call.request, page)


async def _find(connection: Connection, dead_id: UUID) -> DeadJobInFull:
    job = await read_dead(connection, dead_id)
    if job is None:
        raise not_found("dead job")
    return present_dead_in_full(job)


_OPERATOR = Scope.OPERATOR
ROUTES = [
    get("/v1/jobs/stats", show_stats, scope=_OPERATOR),
    get("/v1/jobs/queues", show_queues, scope=_OPERATOR),
    get("/v1/jobs/dead", list_dead, scope=_OPERATOR, problems=("timezone_required",)),
    delete("/v1/jobs/dead", discard_some, scope=_OPERATOR, statuses=(200,), problems=("timezone_required",)),
    post("/v1/jobs/dead/redrive", redrive_some, scope=_OPERATOR, fills_outbox=True, problems=("timezone_required",)),
    get("/v1/jobs/dead/{id}", get_dead, scope=_OPERATOR),
    delete("/v1/jobs/dead/{id}", discard_one, scope=_OPERATOR),
    post("/v1/jobs/dead/{id}/redrive", redrive_one, scope=_OPERATOR, fills_outbox=True, problems=("state_conflict",)),
    get("/v1/jobs/recurring", list_recurring, scope=_OPERATOR),
    post("/v1/jobs/cleanup", clean_up, scope=_OPERATOR, statuses=(200, 202), fills_outbox=True, cost=5),
]
