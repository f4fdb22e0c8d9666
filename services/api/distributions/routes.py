"""`/v1/distributions`: one post to a group over a window of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

import msgspec

from services.api.call import Call
from services.api.distributions import contract, store
from services.api.distributions.contract import (
    Distributed,
    Distribution,
    DistributionsQuery,
    DryRun,
    Halted,
    OnConflict,
    PlannedPublication,
    Resumed,
    Retried,
    RetryFailed,
)
from services.api.distributions.distribute_post import (
    distribute_post,
    new_seed,
    plan_post,
    require_no_conflicts,
    require_same,
)
from services.api.distributions.retry_failed import retry_failed
from services.api.distributions.steer_distribution import (
    cancel_distribution,
    pause_distribution,
    resume_distribution,
)
from services.api.http import Answer, NoQuery, Order, Page, answer, answer_page, aware, fetch_page, not_found
from services.api.media.fetch_publicly import require_reachable
from services.api.routing import get, post
from shared.database import Connection
from shared.publications import Draft, NewDistribution, Stopped, Window


async def distribute(call: Call[DryRun, contract.NewDistribution]) -> Answer[Distributed]:
    """Distribute a post, or only show the plan."""
    dry_run, body, new = call.query.dry_run, call.body, _new(call.body)
    if not dry_run:
        await require_reachable(call.deps, new.post_id, user_id=call.user_id)
    async with call.begin() as tx:
        planned = await plan_post(
            tx, new, group_id=body.group_id, caller=call.caller, allow_duplicate=body.allow_duplicate
        )
        outcome = Distributed(
            seed=new.seed,
            dry_run=dry_run,
            plan=_present(planned.drafts),
            plan_digest=planned.digest,
            conflicts=planned.conflicts,
            publications=len(planned.drafts),
        )
        if dry_run:
            return await call.keep(tx, answer(outcome))
        if body.on_conflict is OnConflict.REFUSE or not planned.drafts:
            require_no_conflicts(planned)
        require_same(planned, body.plan_digest)
        return await _carry_out(call, tx, new, planned.drafts, outcome)


async def list_distributions(call: Call[DistributionsQuery, None]) -> Answer[Page[Distribution]]:
    """One page of the tenant's distributions."""
    query = call.query
    sql, args = store.list_query(
        call.user_id,
        post_id=query.post_id,
        group_id=query.group_id,
        schedule_id=query.schedule_id,
        state=query.state,
    )
    order = Order.of(query.sort)
    async with call.connect() as connection:
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present, order=order)
    return answer_page(call.request, page)


async def get_distribution(call: Call[NoQuery, None]) -> Answer[Distribution]:
    """One distribution, with its publications counted by state."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("distribution"), user_id=call.user_id))


async def pause(call: Call[NoQuery, None]) -> Answer[Halted]:
    """Hold what of a distribution is not published yet."""
    distribution_id = call.id("distribution")
    async with call.begin() as tx:
        stopped = await pause_distribution(tx, distribution_id, user_id=call.user_id)
        return await _halted(call, tx, "distribution.paused", distribution_id, stopped)


async def resume(call: Call[NoQuery, None]) -> Answer[Resumed]:
    """Let a paused distribution go on."""
    distribution_id, rescue_after_s = call.id("distribution"), call.deps.settings.rescue_after_s
    async with call.begin() as tx:
        outcome = await resume_distribution(tx, distribution_id, user_id=call.user_id, rescue_after_s=rescue_after_s)
        distribution = await _find(tx, distribution_id, user_id=call.user_id)
        resumed = Resumed(distribution=distribution, released=outcome.released, held=outcome.held)
        await call.audit(tx, "distribution.resumed", ("distribution", distribution_id), after=resumed)
        return await call.keep(tx, answer(resumed))


async def cancel(call: Call[NoQuery, None]) -> Answer[Halted]:
    """Cancel what of a distribution is not published yet."""
    distribution_id = call.id("distribution")
    async with call.begin() as tx:
        stopped = await cancel_distribution(tx, distribution_id, user_id=call.user_id)
        return await _halted(call, tx, "distribution.canceled", distribution_id, stopped)


async def retry(call: Call[NoQuery, RetryFailed]) -> Answer[Retried]:
    """Try again what of a distribution failed or was missed."""
    distribution_id = call.id("distribution")
    async with call.begin() as tx:
        outcome = await retry_failed(
            tx,
            distribution_id,
            user_id=call.user_id,
            allow_duplicate=call.body.allow_duplicate,
            rescue_after_s=call.deps.settings.rescue_after_s,
        )
        distribution = await _find(tx, distribution_id, user_id=call.user_id)
        retried = Retried(distribution=distribution, retried=outcome.retried, conflicts=outcome.conflicts)
        summary = {"retried": outcome.retried, "conflicts": len(outcome.conflicts)}
        await call.audit(tx, "distribution.retried", ("distribution", distribution_id), after=summary)
        return await call.keep(tx, answer(retried, status=202))


async def _carry_out(
    call: Call[DryRun, contract.NewDistribution],
    tx: Connection,
    new: NewDistribution,
    drafts: Sequence[Draft],
    outcome: Distributed,
) -> Answer[Distributed]:
    distribution_id = await distribute_post(
        tx, new, drafts, user_id=call.user_id, rescue_after_s=call.deps.settings.rescue_after_s
    )
    made = msgspec.structs.replace(outcome, id=distribution_id)
    await call.audit(
        tx,
        "distribution.created",
        ("distribution", distribution_id),
        after={"post_id": new.post_id, "group_id": new.group_id, "publications": made.publications},
    )
    return await call.keep(tx, answer(made, status=202, headers={"Location": f"/v1/distributions/{distribution_id}"}))


async def _halted(
    call: Call[NoQuery, None], tx: Connection, action: str, distribution_id: UUID, stopped: Stopped
) -> Answer[Halted]:
    halted = Halted(
        distribution=await _find(tx, distribution_id, user_id=call.user_id),
        stopped=stopped.stopped,
        in_flight=stopped.in_flight,
        sent=stopped.sent,
    )
    await call.audit(tx, action, ("distribution", distribution_id), after=halted)
    return await call.keep(tx, answer(halted))


async def _find(connection: Connection, distribution_id: UUID, *, user_id: UUID) -> Distribution:
    row = await store.find(connection, distribution_id, user_id=user_id)
    if row is None:
        raise not_found("distribution")
    return store.present(row)


def _new(body: contract.NewDistribution) -> NewDistribution:
    begin, end = aware(body.window.begin, path="window.from"), aware(body.window.end, path="window.to")
    return NewDistribution(
        post_id=body.post_id,
        group_id=body.group_id,
        # The same moments are the same plan, in whatever offset they were written.
        window=Window(begin=begin.astimezone(UTC), end=end.astimezone(UTC)),
        min_gap_s=body.min_gap_s,
        max_lateness_s=body.max_lateness_s,
        seed=new_seed() if body.seed is None else body.seed,
    )


def _present(plan: Sequence[Draft]) -> list[PlannedPublication]:
    return [PlannedPublication(account_id=draft.account_id, publish_at=draft.publish_at) for draft in plan]


_REFUSED = (
    "account_not_publishable",
    "duplicate_content",
    "capacity_exceeded",
    "plan_changed",
    "timezone_required",
    "time_in_past",
    "window_too_short",
    "group_empty",
    "media_unreachable",
)

ROUTES = [
    get("/v1/distributions", list_distributions),
    post(
        "/v1/distributions",
        distribute,
        statuses=(200, 202),
        limited=True,
        problems=_REFUSED,
        fills_outbox=True,
        cost=20,
    ),
    get("/v1/distributions/{id}", get_distribution),
    post("/v1/distributions/{id}/pause", pause, problems=("state_conflict",), cost=5),
    post("/v1/distributions/{id}/resume", resume, problems=("state_conflict",), cost=5),
    post("/v1/distributions/{id}/cancel", cancel, cost=5),
    post(
        "/v1/distributions/{id}/retry-failed",
        retry,
        statuses=(202,),
        problems=("state_conflict",),
        fills_outbox=True,
        cost=5,
    ),
]
