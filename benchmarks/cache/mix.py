"""What clients ask the gateway: mostly reads that are cached, now and then a change of what they show."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

_WRITES = 0.01
# Of the reads: first pages of the list of accounts (every fifth time of the active ones alone), the figures over all
# accounts; the rest is the health of one account.
_LISTS, _SWARMS = 0.50, 0.15
_ACTIVE_ONLY = 0.2
_LIST, _LIST_ACTIVE, _SWARM = "/v1/accounts", "/v1/accounts?state=ACTIVE", "/v1/swarm/health"


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A user, what it owns, and the key it comes with."""

    api_key: str = field(repr=False)
    account_ids: Sequence[UUID]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request of a tenant."""

    tenant: Tenant
    path: str
    method: str = "GET"


def mixed(tenants: Sequence[Tenant], count: int, *, seed: int) -> Iterator[Request]:
    """So many requests; tenants, and the accounts of each, by Zipf's law: the second half as often as the first.

    One request in a hundred pauses an account, or resumes one that was paused before.
    """
    chance = random.Random(seed)  # noqa: S311 - the same requests in every run
    paused: set[UUID] = set()
    weights = [1 / rank for rank in range(1, len(tenants) + 1)]
    for tenant in chance.choices(tenants, weights, k=count):
        ranks = range(1, len(tenant.account_ids) + 1)
        account_id = chance.choices(tenant.account_ids, [1 / rank for rank in ranks])[0]
        if chance.random() < _WRITES:
            yield Request(tenant=tenant, method="POST", path=f"/v1/accounts/{account_id}/{_turn(account_id, paused)}")
        else:
            yield Request(tenant=tenant, path=_read(account_id, chance))


def everything(tenants: Sequence[Tenant]) -> Iterator[Request]:
    """Every read there is, once."""
    for tenant in tenants:
        for path in (_LIST, _LIST_ACTIVE, _SWARM, *map(_health, tenant.account_ids)):
            yield Request(tenant=tenant, path=path)


def _turn(account_id: UUID, paused: set[UUID]) -> str:
    if account_id in paused:
        paused.remove(account_id)
        return "resume"
    paused.add(account_id)
    return "pause"


def _read(account_id: UUID, chance: random.Random) -> str:
    kind = chance.random()
    if kind < _LISTS:
        return _LIST_ACTIVE if chance.random() < _ACTIVE_ONLY else _LIST
    return _SWARM if kind < _LISTS + _SWARMS else _health(account_id)


def _health(account_id: UUID) -> str:
    return f"/v1/accounts/{account_id}/health"
