"""The gate's answer to whoever may not call now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Not now. Ask again after the delay, which is jittered: those who wait together do not come back together."""

    reason: Literal["throttled", "platform_down"]
    delay_s: float
