"""Rate limits as data: so many units a second, and so many at once after a quiet time."""

from __future__ import annotations

import math
from dataclasses import dataclass

_BURST_S = 2  # a bucket that was left alone holds what flows into it in this time


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One rule. A bucket holds `burst` units and is refilled at `per_s`; a request takes what its route costs."""

    name: str  # as headers, problems and metrics call it
    per_s: float
    burst: int

    @property
    def window_s(self) -> int:
        """In how many seconds an empty bucket is full again."""
        return math.ceil(self.burst / self.per_s)

    @property
    def told(self) -> str:
        """The policy as the header `RateLimit-Policy` tells it."""
        return f'"{self.name}";q={self.burst};w={self.window_s}'

    def told_left(self, left: int) -> str:
        """What is left as the header `RateLimit` tells it, with the seconds until the bucket is full."""
        return f'"{self.name}";r={left};t={math.ceil((self.burst - left) / self.per_s)}'

    def share(self, part: float) -> Policy:
        """The same rule for a part of the units."""
        return Policy(name=self.name, per_s=self.per_s * part, burst=max(1, int(self.burst * part)))


def policy(name: str, per_s: int) -> Policy | None:
    """The rule of a setting in units per second; 0 is none."""
    return Policy(name=name, per_s=float(per_s), burst=per_s * _BURST_S) if per_s else None


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """What is left to one client under one policy."""

    policy: Policy
    name: str  # `key:...`, `tenant:...`, `address:...`


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What came of taking units out of several buckets at once: as many from each, or nothing from any."""

    granted: int  # 0: refused
    left: tuple[int, ...]  # whole units that remain in each
    wait_s: tuple[float, ...]  # of a refusal: how long each lacks what was asked for; 0 for those that do not
