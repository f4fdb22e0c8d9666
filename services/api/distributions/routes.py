"""`/v1/distributions`: one post to a group over a window of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import web

from services.api.connections import begin, connect
from services.api.deps import DEPS
from services.api.distributions import store
from services.api.distributions.distribute_post import distribute_post, new_seed, plan_post
from services.api.distributions.store import NewDistribution
from services.api.http import (
    Body,
    Caller,
    answer,
    answer_page,
    aware,
    fetch_page,
    flag_of,
    not_found,
    path_id,
    read_json,
    read_page,
    read_query,
)
from services.api.media.fetch_publicly import require_reachable
from services.api.routing import get, post
from shared.publications import DEFAULT_MAX_LATENESS_S, Draft, Window


class WindowBody(Body, frozen=True, kw_only=True):
    """A span of time, both ends included."""

    begin: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")


class DistributionBody(Body, frozen=True, kw_only=True):
    """A distribution as a client wants it."""

    post_id: UUID
    group_id: UUID
    window: WindowBody
    min_gap_s: float = 0.0
    max_lateness_s: int | None = DEFAULT_MAX_LATENESS_S
    seed: int | None = None
    allow_duplicate: bool = False


async def distribute(request: web.Request, caller: Caller) -> web.Response:
    """Distribute a post, or only show the plan."""
    deps = request.app[DEPS]
    dry_run = flag_of(read_query(request, "dry_run"), "dry_run")
    body = await read_json(request, DistributionBody)
    new = _new(body)
    if not dry_run:
        await require_reachable(deps, new.post_id, user_id=caller.user_id)
    async with begin(deps.pool) as tx:
        plan = await plan_post(tx, new, user_id=caller.user_id, allow_duplicate=body.allow_duplicate)
        outcome: dict[str, Any] = {"seed": new.seed, "dry_run": dry_run, "plan": _present(plan)}
        if dry_run:
            return answer(outcome | {"publications": len(plan)})
        made = await distribute_post(tx, new, plan, user_id=caller.user_id, rescue_after_s=deps.settings.rescue_after_s)
    headers = {"Location": f"/v1/distributions/{made.id}"}
    return answer(outcome | {"id": made.id, "publications": made.publications}, status=202, headers=headers)


async def list_distributions(request: web.Request, caller: Caller) -> web.Response:
    """One page of the tenant's distributions."""
    deps = request.app[DEPS]
    read_query(request, paged=True)
    page = read_page(request, user_id=caller.user_id, secret=deps.settings.cursor_secret)
    async with connect(deps.pool) as connection:
        body = await fetch_page(connection, store.LIST, [caller.user_id], page=page, present=store.present)
    return answer_page(request, body)


async def get_distribution(request: web.Request, caller: Caller) -> web.Response:
    """One distribution, with its publications counted by state."""
    distribution_id = path_id(request, "distribution")
    async with connect(request.app[DEPS].pool) as connection:
        row = await store.find(connection, distribution_id, user_id=caller.user_id)
    if row is None:
        raise not_found("distribution")
    return answer(store.present(row))


def _new(body: DistributionBody) -> NewDistribution:
    window = Window(begin=aware(body.window.begin, path="window.from"), end=aware(body.window.end, path="window.to"))
    return NewDistribution(
        post_id=body.post_id,
        group_id=body.group_id,
        window=window,
        min_gap_s=body.min_gap_s,
        max_lateness_s=body.max_lateness_s,
        seed=new_seed() if body.seed is None else body.seed,
    )


def _present(plan: Sequence[Draft]) -> list[dict[str, Any]]:
    return [{"account_id": draft.account_id, "publish_at": draft.publish_at} for draft in plan]


ROUTES = [
    get("/v1/distributions", list_distributions, query=True),
    post("/v1/distributions", distribute, query=True),
    get("/v1/distributions/{id}", get_distribution),
]
