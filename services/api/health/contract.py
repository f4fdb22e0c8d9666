"""What clients get of health."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from services.api.http import Body, PageQuery
from shared.accounts import Caution


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
    components: dict[str, float]  # 0 to 100 each; what is not known is left out
    weights: dict[str, float]  # how much each of them counts; together 1
    gates: dict[str, int]  # caps in force, by name
    reasons: list[Reason]
    formula_version: int
    computed_at: datetime
    caution: Caution  # what follows now: half of its cap, or nothing is published on it
    caution_waived_until: datetime | None  # until then a person lets it go on whatever its health is; null: nobody


class HealthHistoryQuery(PageQuery, frozen=True, kw_only=True):
    """Which judgements are listed."""

    begin: datetime | None = msgspec.field(name="from", default=None)  # of computed_at
    end: datetime | None = msgspec.field(name="to", default=None)  # of computed_at, excluded


class PastHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What was judged of one account at one time."""

    id: UUID
    account_id: UUID
    score: int  # 0 to 100
    band: str
    confidence: float  # 0 to 1
    components: dict[str, float]  # 0 to 100 each
    gates: dict[str, int]  # caps in force then, by name
    reasons: list[Reason]
    formula_version: int
    computed_at: datetime


class NewOverride(Body, frozen=True, kw_only=True):
    """For how long an account goes on whatever its health is, and why."""

    hours: Annotated[int, msgspec.Meta(ge=1, le=720)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class HealthOverride(msgspec.Struct, frozen=True, kw_only=True):
    """How careful the system is with an account, by a person's wish."""

    account_id: UUID
    caution: Caution  # in force now
    caution_waived_until: datetime | None
    reason: str | None  # as it was given; null: nobody waives anything
    released: int  # publications that go on at once


class Worst(msgspec.Struct, frozen=True, kw_only=True):
    """An account among those with the lowest scores."""

    account_id: UUID
    username: str
    score: int
    band: str
    reason: Reason | None  # the first; null: nothing lowers it


class OpenIncident(msgspec.Struct, frozen=True, kw_only=True):
    """A class of error that hits many accounts at once. It is the app's trouble, and counts against no account."""

    error_class: str
    since: datetime
    paused_until: datetime  # the platform is not called until then


class Swarm(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts of a tenant seen together."""

    accounts: int
    judged: int  # those that have a score
    score: float | None  # 0 to 100: 0.6 of `mean` and 0.4 of `p10`; null: no account is judged
    mean: float | None  # each account weighs as much as is due on it within 7 days
    p10: float | None  # a tenth of the accounts scores no better
    publishable_ratio: float | None  # of all accounts: in a state that publishes, and not held for their health
    earliest_token_expiry: datetime | None
    bands: dict[str, int]
    worst: list[Worst]
    incidents: list[OpenIncident]
