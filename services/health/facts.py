"""What a score is made of: facts about one account, as `read_evidence` finds them. Ages count back from now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PastFault:
    """One refusal of the platform, or one publication that ended with it."""

    age_days: float
    error_class: str | None = None  # as `fault_of` stores it; None: nobody knows why
    code: int | None = None
    subcode: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What is known of an account. None is unknown, which is neither good nor bad."""

    token_days_left: float | None = None
    token_dead: bool = False  # refused, revoked or over
    at_checkpoint: bool = False  # the platform wants its owner to sign in
    publish_scope_lost: bool = False
    restricted: bool = False
    refresh_failures: int = 0  # renewals that failed in a row
    missing_scopes: int = 0  # of the optional ones
    published_days: Sequence[float] = ()  # ages of what was published, 14 days
    failures: Sequence[PastFault] = ()  # publications that failed, 14 days
    errors: Sequence[PastFault] = ()  # what tries were refused with, 14 days
    unresolved: int = 0  # publications whose outcome is unknown for over an hour
    used_share: float | None = None  # of the publishing quota or of the call limit, whichever is fuller; 1: all
    engagement_ratio: float | None = None  # interactions per reach, newer posts by older ones
    follower_growth: float | None = None  # in 28 days; 0.01: one percent


@dataclass(frozen=True, kw_only=True, slots=True)
class Previous:
    """Where the judgement before this one left the account."""

    band: str
    cap: int = 100  # of its lowest gate
    rising_band: str | None = None  # a better one that has to last before it counts
    rising_for_s: float = 0.0  # since it was first seen
