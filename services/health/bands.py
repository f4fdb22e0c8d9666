"""Bands: what a score means, and how an account leaves one. Down at once, up only when that has lasted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.health.facts import Previous


class Band(StrEnum):
    """What a score means, the worst first."""

    CRITICAL = "critical"
    AT_RISK = "at_risk"
    DEGRADED = "degraded"
    WATCH = "watch"
    HEALTHY = "healthy"
    PROVISIONAL = "provisional"  # too little is known to say


#: A better band counts after so long, over at least two judgements.
RISES_AFTER_S = 900.0
#: With less confidence nothing is said of an account without closed gates.
PROVISIONAL_BELOW = 0.3
_LEAST = (
    (85, Band.HEALTHY),
    (70, Band.WATCH),
    (50, Band.DEGRADED),
    (25, Band.AT_RISK),
    (0, Band.CRITICAL),
)
_RANKS = {Band.CRITICAL: 0, Band.AT_RISK: 1, Band.DEGRADED: 2, Band.WATCH: 3, Band.HEALTHY: 4, Band.PROVISIONAL: 4}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The band that counts, and the better one that has to last."""

    band: Band
    rising_band: Band | None = None
    rises_on: bool = False  # it began with an earlier judgement


def band_of(score: int, *, confidence: float, gated: bool) -> Band:
    """What this score would mean by itself."""
    if confidence < PROVISIONAL_BELOW and not gated:
        return Band.PROVISIONAL
    return _at(score)


def settle(found: Band, previous: Previous | None, *, cap: int) -> Standing:
    """The band that counts now, given where the account stood.

    A band that was a gate's doing ends with the gate: what opens one is a fact, such as a new token, and no chance. Any
    other better band has to last; the worst of what was seen meanwhile is what the account rises to.

    Args:
        found: what the score means by itself.
        previous: the judgement before this one; None: there is none.
        cap: of the lowest gate that is closed now; 100: none is.
    """
    if previous is None:
        return Standing(band=found)
    before = Band(previous.band)
    if _RANKS[found] <= _RANKS[before] or (cap > previous.cap and _at(previous.cap) is before):
        return Standing(band=found)
    if previous.rising_band is None:
        return Standing(band=before, rising_band=found)
    lasted = min(found, Band(previous.rising_band), key=_RANKS.__getitem__)
    if previous.rising_for_s < RISES_AFTER_S:
        return Standing(band=before, rising_band=lasted, rises_on=True)
    return Standing(band=lasted, rising_band=found if _RANKS[found] > _RANKS[lasted] else None)


def _at(score: int) -> Band:
    return next(band for least, band in _LEAST if score >= least)
