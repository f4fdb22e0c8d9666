"""What a look at an account needs."""

from __future__ import annotations

from dataclasses import dataclass

from services.health.rescore import Clinic
from services.health.usage_watch import UsageWatch
from shared.instagram import GraphClient, PlatformGate
from shared.security import TokenCipher


@dataclass(frozen=True, kw_only=True)
class Surgery(Clinic):
    """A clinic that can ask the platform; built once in service.py."""

    graph: GraphClient
    gate: PlatformGate  # who may call the platform now
    usage: UsageWatch  # watches `graph`, for the gate too
    cipher: TokenCipher
    slots: int  # most accounts that are asked for at a time
    check_every_s: float  # the usual rhythm
