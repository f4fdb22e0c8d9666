"""What clients get of warm-up protocols."""

from __future__ import annotations

import msgspec


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """How much a newly connected account may publish, day by day."""

    id: str
    name: str
    description: str
    daily_caps: list[int]  # publications on the first day, the second, ...
    min_gap_s: int  # between two publications
    success_ratio: float  # 0 to 1; a day needs it to count
    advance_rule: str  # when the next day begins, for people
