"""How often a client may ask: counted for all processes together, mostly without asking anybody."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from services.api.limits.local_buckets import LocalBuckets
from services.api.limits.policy import Bucket, Policy, Taken
from services.api.limits.shared_buckets import SharedBuckets

#: What a process takes ahead for a key is good for so long, and is at most this part of the smallest bucket.
LEASE_S = 1.0
LEASE_PART = 0.05
#: What each process gives by itself while Redis is away: this part of each limit.
LOCAL_PART = 0.5
_KEYS_MAX = 10_000


class Verdict(NamedTuple):
    """What became of a request, and how its client stands now, as this process last knew."""

    told: str  # the header `RateLimit`; empty: there are no limits
    refused_by: Policy | None = None
    wait_s: float = 0.0  # of a refusal: when the request can succeed


@dataclass(kw_only=True)
class _Lease:
    """Units that were taken ahead for one key."""

    buckets: tuple[Bucket, ...]
    smallest: int  # of the buckets
    units: int = 0
    ends_at: float = 0.0
    size: int = 1  # how many were asked for
    left: tuple[int, ...]  # in each bucket when they were taken
    refused_cost: int = 0
    refused_at: float = 0.0
    refused_until: float = 0.0
    waits_s: tuple[float, ...] = ()  # of that refusal
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)


class RateLimiter:
    """Every request takes its units from its key's bucket and its tenant's, or from neither."""

    def __init__(
        self, shared: SharedBuckets, policies: Sequence[Policy], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Wire it.

        Args:
            shared: the buckets of all processes.
            policies: those in force, of `key` and `tenant`.
            clock: monotonic seconds.
        """
        self._shared = shared
        self._alone = LocalBuckets(clock=clock)
        self._policies = tuple(policies)
        self._clock = clock
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self.told = ", ".join(policy.told for policy in self._policies)  # the header `RateLimit-Policy`

    async def take(self, key_id: str, user_id: UUID, *, cost: int) -> Verdict:
        """Count a request.

        Args:
            key_id: whose request it is.
            user_id: its tenant.
            cost: units. What costs more than a bucket holds costs all of it.
        """
        if not self._policies:
            return Verdict("")
        lease = self._lease(key_id, user_id)
        cost = min(cost, lease.smallest)
        if self._spend(lease, cost) or (not self._is_refused(lease, cost) and await self._renew(lease, cost)):
            return Verdict(_told(lease))
        return _refused(lease, cost, self._clock())

    def _lease(self, key_id: str, user_id: UUID) -> _Lease:
        lease = self._leases.get(key_id)
        if lease is None:
            names = {"key": f"key:{key_id}", "tenant": f"tenant:{user_id}"}
            buckets = tuple(Bucket(policy=policy, name=names[policy.name]) for policy in self._policies)
            lease = self._leases[key_id] = _Lease(
                buckets=buckets, smallest=min(policy.burst for policy in self._policies), left=(0,) * len(buckets)
            )
            if len(self._leases) > _KEYS_MAX:
                self._leases.popitem(last=False)
        self._leases.move_to_end(key_id)
        return lease

    def _spend(self, lease: _Lease, cost: int) -> bool:
        if lease.units < cost or lease.ends_at <= self._clock():
            return False
        lease.units -= cost
        return True

    def _is_refused(self, lease: _Lease, cost: int) -> bool:
        return cost >= lease.refused_cost and self._clock() < lease.refused_until

    async def _renew(self, lease: _Lease, cost: int) -> bool:
        async with lease.renewing:
            # Whoever waited may find what another has fetched meanwhile.
            if self._spend(lease, cost):
                return True
            return not self._is_refused(lease, cost) and await self._fetch(lease, cost)

    async def _fetch(self, lease: _Lease, cost: int) -> bool:
        wanted = max(self._size(lease), cost)
        taken = await self._shared.take(lease.buckets, cost=cost, wanted=wanted) or self._take_alone(lease, cost)
        lease.left = taken.left
        if taken.granted:
            # Alone, a process may give less than the cost: then that was all there is.
            lease.units = max(taken.granted - cost, 0)
            lease.ends_at = self._clock() + LEASE_S
            return True
        if lease.ends_at <= self._clock():
            lease.units = 0
        lease.refused_cost, lease.waits_s, lease.refused_at = cost, taken.wait_s, self._clock()
        lease.refused_until = lease.refused_at + max(taken.wait_s)
        return False

    def _size(self, lease: _Lease) -> int:
        """Twice as many where the last ones did not last, half as many where most were left over."""
        most = max(1, int(lease.smallest * LEASE_PART))
        if lease.ends_at > self._clock():
            lease.size = min(2 * lease.size, most)
        elif lease.units > lease.size // 2:
            lease.size = max(1, lease.size // 2)
        return lease.size

    def _take_alone(self, lease: _Lease, cost: int) -> Taken:
        buckets = [replace(bucket, policy=bucket.policy.share(LOCAL_PART)) for bucket in lease.buckets]
        cost = min(cost, *(bucket.policy.burst for bucket in buckets))
        return self._alone.take(buckets, cost=cost, wanted=cost)


def _told(lease: _Lease) -> str:
    return ", ".join(
        bucket.policy.told_left(left + lease.units) for bucket, left in zip(lease.buckets, lease.left, strict=True)
    )


def _refused(lease: _Lease, cost: int, now: float) -> Verdict:
    waits_s = lease.waits_s
    if cost > lease.refused_cost:  # what was remembered is of a cheaper request
        waits_s = tuple(
            max(cost - left, 0) / bucket.policy.per_s for bucket, left in zip(lease.buckets, lease.left, strict=True)
        )
    wait_s, place = max((wait_s, place) for place, wait_s in enumerate(waits_s))
    return Verdict(_told(lease), lease.buckets[place].policy, wait_s - (now - lease.refused_at))
