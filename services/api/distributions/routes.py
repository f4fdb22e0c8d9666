"""`/v1/distributions`: one post to a group over a window of time."""

from __future__ import annotations

from collections.abc import Sequence

from services.api.call import Call
from services.api.distributions import contract, store
from services.api.distributions.contract import Distributed, Distribution, DryRun, PlannedPublication
from services.api.distributions.distribute_post import distribute_post, new_seed, plan_post
from services.api.distributions.store import NewDistribution
from services.api.http import (
    Answer,
    NoQuery,
    Page,
    PageQuery,
    answer,
    answer_page,
    aware,
    fetch_page,
    not_found,
)
from services.api.media.fetch_publicly import require_reachable
from services.api.routing import get, post
from shared.publications import Draft, Window


async def distribute(call: Call[DryRun, contract.NewDistribution]) -> Answer[Distributed]:
    """Distribute a post, or only show the plan."""
    dry_run, new = call.query.dry_run, _new(call.body)
    if not dry_run:
        await require_reachable(call.deps, new.post_id, user_id=call.user_id)
    async with call.begin() as tx:
        plan = await plan_post(tx, new, user_id=call.user_id, allow_duplicate=call.body.allow_duplicate)
        shown = _present(plan)
        if dry_run:
            outcome = Distributed(seed=new.seed, dry_run=True, plan=shown, publications=len(plan))
            return await call.keep(tx, answer(outcome))
        made = await distribute_post(
            tx, new, plan, user_id=call.user_id, rescue_after_s=call.deps.settings.rescue_after_s
        )
        outcome = Distributed(id=made.id, seed=new.seed, dry_run=False, plan=shown, publications=made.publications)
        headers = {"Location": f"/v1/distributions/{made.id}"}
        await call.audit(
            tx,
            "distribution.created",
            ("distribution", made.id),
            after={"post_id": new.post_id, "group_id": new.group_id, "publications": made.publications},
        )
        return await call.keep(tx, answer(outcome, status=202, headers=headers))


async def list_distributions(call: Call[PageQuery, None]) -> Answer[Page[Distribution]]:
    """One page of the tenant's distributions."""
    async with call.connect() as connection:
        page = await fetch_page(connection, store.LIST, [call.user_id], page=call.page, present=store.present)
    return answer_page(call.request, page)


async def get_distribution(call: Call[NoQuery, None]) -> Answer[Distribution]:
    """One distribution, with its publications counted by state."""
    async with call.connect() as connection:
        row = await store.find(connection, call.id("distribution"), user_id=call.user_id)
    if row is None:
        raise not_found("distribution")
    return answer(store.present(row))


def _new(body: contract.NewDistribution) -> NewDistribution:
    window = Window(begin=aware(body.window.begin, path="window.from"), end=aware(body.window.end, path="window.to"))
    return NewDistribution(
        post_id=body.post_id,
        group_id=body.group_id,
        window=window,
        min_gap_s=body.min_gap_s,
        max_lateness_s=body.max_lateness_s,
        seed=new_seed() if body.seed is None else body.seed,
    )


def _present(plan: Sequence[Draft]) -> list[PlannedPublication]:
    return [PlannedPublication(account_id=draft.account_id, publish_at=draft.publish_at) for draft in plan]


ROUTES = [
    get("/v1/distributions", list_distributions),
    post("/v1/distributions", distribute, statuses=(200, 202), fills_outbox=True, cost=20),
    get("/v1/distributions/{id}", get_distribution),
]
