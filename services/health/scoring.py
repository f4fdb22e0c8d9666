"""The score of an account: a pure function of what is known. It says how likely publishing is to work, nothing else.

A mean alone would let a dead token hide behind good numbers, so the weakest of the vital components pulls the score
down, and a gate caps it until evidence clears it. What is not known is absent, never assumed good, and lowers the
confidence. docs/health.md tells why each number is what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.health.bands import Band, band_of, settle
from services.health.components import VITAL, WEIGHTS, Component, measure, share_weights
from services.health.facts import Evidence, Previous
from services.health.gates import Gate, closed_gates
from services.health.reasons import MEAN_SHARE, WEAKEST_SHARE, Reckoning, find_reasons
from services.health.words import Reason

FORMULA_VERSION = 2

_ENOUGH_OUTCOMES = 10
_ALL_WEIGHTS = sum(WEIGHTS.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """The judgement."""

    score: int  # 0 to 100
    band: Band
    rising_band: Band | None  # a better one, once it has lasted
    rises_on: bool  # it was rising before
    confidence: float  # 0 to 1
    components: dict[Component, float]
    weights: Mapping[Component, float]  # of the components there are; together 1
    gates: dict[Gate, int]  # caps in force, the lowest first
    reasons: list[Reason]  # what costs most, first


def score_account(evidence: Evidence, *, previous: Previous | None) -> Score:
    """Judge an account by what is known of it now, and by where it stood.

    Args:
        evidence: what is known.
        previous: the judgement before this one; None: there is none.
    """
    components = measure(evidence)
    weights = share_weights(tuple(components))
    mean = sum([weights[component] * value for component, value in components.items()])
    weakest = min([component for component in VITAL if component in components], key=components.__getitem__)
    raw = MEAN_SHARE * mean + WEAKEST_SHARE * components[weakest]
    gates = closed_gates(evidence)
    score = round(min([raw, *gates.values()]))
    confidence = _confidence(evidence, components)
    found = band_of(score, confidence=confidence, gated=bool(gates))
    standing = settle(found, previous, cap=min(gates.values(), default=100))
    reckoning = Reckoning(raw=raw, components=components, weights=weights, weakest=weakest, gates=gates)
    return Score(
        score=score,
        band=standing.band,
        rising_band=standing.rising_band,
        rises_on=standing.rises_on,
        confidence=confidence,
        components=components,
        weights=weights,
        gates=gates,
        reasons=find_reasons(evidence, reckoning),
    )


def _confidence(evidence: Evidence, components: Iterable[Component]) -> float:
    outcomes = len(evidence.published_days) + len(evidence.failures)
    known = sum([WEIGHTS[component] for component in components])
    return min(1.0, outcomes / _ENOUGH_OUTCOMES) * known / _ALL_WEIGHTS
