"""The six components of a score, 0 to 100 each: pure functions of the evidence, None where nothing is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from services.health.blame import BY_CLASS, weigh
from services.health.facts import Evidence
from shared.instagram import ErrorClass


class Component(StrEnum):
    """What is looked at."""

    ACCESS = "access"
    PUBLISHING = "publishing"
    ERRORS = "errors"
    CAPACITY = "capacity"
    ENGAGEMENT = "engagement"
    FOLLOWERS = "followers"


#: How much each counts; together 100.
WEIGHTS: Mapping[Component, int] = MappingProxyType(
    {
        Component.ACCESS: 30,
        Component.PUBLISHING: 30,
        Component.ERRORS: 15,
        Component.CAPACITY: 10,
        Component.ENGAGEMENT: 10,
        Component.FOLLOWERS: 5,
    }
)
#: The weakest of these pulls the score down: no numbers elsewhere make good for a token that ends.
VITAL = (Component.ACCESS, Component.PUBLISHING, Component.ERRORS)

PER_REFRESH_FAILURE = 15.0
PER_MISSING_SCOPE = 10.0
_SAFE_DAYS, _SHORT_DAYS = 14.0, 7.0
_OUTCOME_HALF_LIFE_DAYS = 7.0
_ERROR_HALF_LIFE_DAYS = 2.0
# So much is believed of an account that has published nothing yet: 4.9 successes of 5.
_PRIOR_GOOD, _PRIOR = 4.9, 5.0
_PRESSURE = 6.0
_EASY, _TIGHT, _AT_TIGHT = 0.5, 0.9, 40.0
# What stays as it is has this; there is no saying how much better is good.
_STEADY = 80.0


def measure(evidence: Evidence) -> dict[Component, float]:
    """Each component of which something is known, in the order of `WEIGHTS`."""
    values = (
        access(evidence),
        publishing(evidence),
        100 * math.exp(-pressure(evidence) / _PRESSURE),
        capacity(evidence.used_share),
        engagement(evidence.engagement_ratio),
        followers(evidence.follower_growth),
    )
    return {component: value for component, value in zip(WEIGHTS, values, strict=True) if value is not None}


@lru_cache(maxsize=64)  # of the ways in which something can be unknown
def share_weights(components: tuple[Component, ...]) -> Mapping[Component, float]:
    """How much each of these counts where the others are unknown; together 1."""
    known = sum(WEIGHTS[component] for component in components)
    return MappingProxyType({component: WEIGHTS[component] / known for component in components})


def access(evidence: Evidence) -> float | None:
    """How long the token still serves, less what speaks against its renewal."""
    if evidence.token_dead:
        return 0.0
    if evidence.token_days_left is None:
        return None
    lost = PER_REFRESH_FAILURE * evidence.refresh_failures + PER_MISSING_SCOPE * evidence.missing_scopes
    return max(0.0, life(evidence.token_days_left) - lost)


def life(days: float) -> float:
    """100 with two weeks or more left, 65 with one, 10 at the end, 0 once it is over."""
    if days <= 0:
        return 0.0
    if days >= _SAFE_DAYS:
        return 100.0
    return 65 + 5 * (days - _SHORT_DAYS) if days >= _SHORT_DAYS else 10 + 55 * days / _SHORT_DAYS


def publishing(evidence: Evidence) -> float:
    """Rate of success, recent outcomes weighing more; steep, since one failure in five is a broken account."""
    good = sum([2 ** (-days / _OUTCOME_HALF_LIFE_DAYS) for days in evidence.published_days])
    bad = sum([weigh(fault).blame * 2 ** (-fault.age_days / _OUTCOME_HALF_LIFE_DAYS) for fault in evidence.failures])
    rate = (good + _PRIOR_GOOD) / (good + bad + _PRIOR)
    return float(100 * max(0.0, (rate - 0.5) / 0.5) ** 1.5)


def pressure(evidence: Evidence) -> float:
    """How heavily refusals weigh, halved every two days. A renewal that fails is one that lasts."""
    lasting = BY_CLASS[ErrorClass.REAUTH.value].severity if evidence.refresh_failures else 0.0
    return lasting + sum(
        [weigh(fault).severity * 2 ** (-fault.age_days / _ERROR_HALF_LIFE_DAYS) for fault in evidence.errors]
    )


def capacity(used_share: float | None) -> float | None:
    """100 while half is free, 40 with a tenth left, 0 with nothing."""
    if used_share is None:
        return None
    if used_share <= _EASY:
        return 100.0
    if used_share <= _TIGHT:
        return 100 - (100 - _AT_TIGHT) * (used_share - _EASY) / (_TIGHT - _EASY)
    return max(0.0, _AT_TIGHT * (1 - used_share) / (1 - _TIGHT))


def engagement(ratio: float | None) -> float | None:
    """80 where it stays, 20 where it halves."""
    if ratio is None:
        return None
    return 0.0 if ratio <= 0 else _clamp(_STEADY + 60 * math.log2(ratio))


def followers(growth: float | None) -> float | None:
    """80 where they stay, 40 where a tenth has left."""
    return None if growth is None else _clamp(_STEADY + 400 * growth)


def _clamp(value: float) -> float:
    return min(100.0, max(0.0, value))
