"""What clients get of health."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a score is not 100, and what to do about it."""

    code: str
    text: str
    advice: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The newest judgement of one account."""

    account_id: UUID
    score: int  # 0 to 100
    band: str
    confidence: float  # 0 to 1
    components: dict[str, float]  # 0 to 100 each
    gates: dict[str, int]  # caps in force, by name
    reasons: list[Reason]
    formula_version: int
    computed_at: datetime


class Worst(msgspec.Struct, frozen=True, kw_only=True):
    """An account among those with the lowest scores."""

    account_id: UUID
    username: str
    score: int
    band: str


class Swarm(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts of a tenant seen together."""

    accounts: int
    judged: int  # those that have a score
    score: float | None  # the mean
    publishable_ratio: float | None  # of all accounts
    earliest_token_expiry: datetime | None
    bands: dict[str, int]
    worst: list[Worst]
