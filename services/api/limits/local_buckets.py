"""Buckets of one process: for what concerns it alone, and for the time in which Redis is away."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from services.api.limits.policy import Bucket, Taken

# Beyond these the bucket goes that was asked longest ago; whoever comes back to it finds it full.
_BUCKETS_MAX = 10_000
_ROUNDING = 1e-6


class LocalBuckets:
    """GCRA: of each bucket only the time is known at which it will be full again. Bounded."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with full buckets. `clock` gives monotonic seconds."""
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, buckets: Sequence[Bucket], *, cost: int, wanted: int) -> Taken:
        """Take up to `wanted` units from each bucket; nothing if one of them has less than `cost`."""
        now = self._clock()
        missing_s = [max(self._full_at.get(bucket.name, now) - now, 0.0) for bucket in buckets]
        free = [
            bucket.policy.burst - missing * bucket.policy.per_s
            for bucket, missing in zip(buckets, missing_s, strict=True)
        ]
        granted = min(wanted, *(int(units + _ROUNDING) for units in free))
        if granted < cost:
            lacking = [max(cost - units, 0.0) for units in free]
            waits = [lack / bucket.policy.per_s for bucket, lack in zip(buckets, lacking, strict=True)]
            return Taken(granted=0, left=_whole(free), wait_s=tuple(waits))
        for bucket, missing in zip(buckets, missing_s, strict=True):
            self._keep(bucket.name, now + missing + granted / bucket.policy.per_s)
        return Taken(granted=granted, left=_whole([units - granted for units in free]), wait_s=(0.0,) * len(free))

    def _keep(self, name: str, full_at: float) -> None:
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > _BUCKETS_MAX:
            self._full_at.popitem(last=False)


def _whole(free: Sequence[float]) -> tuple[int, ...]:
    return tuple(max(int(units + _ROUNDING), 0) for units in free)
