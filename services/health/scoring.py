"""The score of an account: a pure function of what is known. It says how likely publishing is to work, nothing else.

Version 1 judges two things: access (is the token live, how long will it last) and publishing (what became of recent
publications, counting only failures that are the account's). What is not measured is absent, never assumed good; the
confidence says how much is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FORMULA_VERSION = 1

_WEIGHTS = {"access": 30, "publishing": 30}
# Of all that a complete judgement would look at; reach, errors and capacity are not measured by this version.
_ALL_WEIGHTS = 100
_HALF_LIFE_DAYS = 7.0
_PROVISIONAL_BELOW = 0.3
_ENOUGH_OUTCOMES = 10
_BANDS = ((85, "healthy"), (70, "watch"), (50, "degraded"), (25, "at_risk"), (0, "critical"))
_FAILURES_IN_A_ROW = 3


@dataclass(frozen=True, kw_only=True)
class PastOutcome:
    """One publication that ended within the last 14 days."""

    age_days: float
    blame: float  # 0: published, or no fault of the account; 0.5: its content; 1: the account's own
    published: bool


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of an account."""

    token_days_left: float | None  # None: unknown
    token_dead: bool  # the platform refused it
    restricted: bool
    outcomes: Sequence[PastOutcome]  # newest first
    unresolved_for_an_hour: int  # publications whose outcome is unknown


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why the score is not 100, and what to do about it."""

    code: str
    text: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class Score:
    """The judgement."""

    score: int  # 0 to 100
    band: str  # healthy, watch, degraded, at_risk, critical; provisional while too little is known
    confidence: float  # 0 to 1
    components: dict[str, float]
    gates: dict[str, int]  # caps in force, by name
    reasons: list[Reason]


def score_account(evidence: Evidence) -> Score:
    """Judge an account.

    The mean alone would let a dead token hide behind good numbers, so the weakest component pulls the score down, and
    a gate caps it until evidence clears it.
    """
    components = {"publishing": _publishing(evidence.outcomes)}
    access = _access(evidence)
    if access is not None:
        components["access"] = access
    weight = sum(_WEIGHTS[name] for name in components)
    mean = sum(_WEIGHTS[name] * value for name, value in components.items()) / weight
    raw = 0.7 * mean + 0.3 * min(components.values())
    gates = _gates(evidence)
    score = round(min([raw, *gates.values()]))
    confidence = min(1.0, len(evidence.outcomes) / _ENOUGH_OUTCOMES) * weight / _ALL_WEIGHTS
    return Score(
        score=score,
        band=_band(score, confidence, gates),
        confidence=round(confidence, 3),
        components={name: round(value, 1) for name, value in sorted(components.items())},
        gates=gates,
        reasons=_reasons(evidence, components, gates),
    )


def _access(evidence: Evidence) -> float | None:
    """100 with two weeks or more left, falling to 10 at the end; 0 once the token is over. None if nothing is known."""
    if evidence.token_dead:
        return 0.0
    days = evidence.token_days_left
    if days is None:
        return None
    if days <= 0:
        return 0.0
    if days >= 14:  # noqa: PLR2004 - the formula's own numbers
        return 100.0
    return 65 + 5 * (days - 7) if days >= 7 else 10 + 55 * days / 7  # noqa: PLR2004 - as above


def _publishing(outcomes: Sequence[PastOutcome]) -> float:
    """Success rate with recent outcomes weighing more, seen against a prior of about five good ones."""
    good = sum(_weight(outcome) for outcome in outcomes if outcome.published)
    bad = sum(_weight(outcome) * outcome.blame for outcome in outcomes if not outcome.published)
    rate = (good + 4.9) / (good + bad + 5)
    return float(100 * max(0.0, (rate - 0.5) / 0.5) ** 1.5)


def _weight(outcome: PastOutcome) -> float:
    return float(2 ** (-outcome.age_days / _HALF_LIFE_DAYS))


def _gates(evidence: Evidence) -> dict[str, int]:
    gates: dict[str, int] = {}
    if evidence.token_dead or (evidence.token_days_left is not None and evidence.token_days_left <= 0):
        gates["token_dead"] = 10
    if evidence.restricted:
        gates["restricted"] = 25
    blamed = [outcome.blame >= 1 for outcome in evidence.outcomes[:_FAILURES_IN_A_ROW]]
    if len(blamed) == _FAILURES_IN_A_ROW and all(blamed):
        gates["failures_in_a_row"] = 50
    if evidence.unresolved_for_an_hour:
        gates["unresolved"] = 60
    return gates


def _band(score: int, confidence: float, gates: dict[str, int]) -> str:
    if confidence < _PROVISIONAL_BELOW and not gates:
        return "provisional"
    return next(band for least, band in _BANDS if score >= least)


def _reasons(evidence: Evidence, components: dict[str, float], gates: dict[str, int]) -> list[Reason]:
    texts = {
        "token_dead": ("The access token is over or was revoked.", "Connect the account again."),
        "restricted": ("The platform restricts the account.", "Open the Instagram app and do what it asks for."),
        "failures_in_a_row": (
            "The last three publications failed by the account.",
            "Read their errors and act on them.",
        ),
        "unresolved": ("A publication's outcome is unknown for over an hour.", "Look at the account and resolve it."),
    }
    reasons = [Reason(code=name, text=texts[name][0], advice=texts[name][1]) for name in gates]
    full = 100.0
    if "token_dead" not in gates and components.get("access", full) < full:
        days = evidence.token_days_left or 0.0
        text = f"The access token ends in {days:.1f} days."
        reasons.append(Reason(code="token_expiring", text=text, advice="Renew it, or connect the account again."))
    if any(outcome.blame > 0 for outcome in evidence.outcomes):
        failed = sum(outcome.blame > 0 for outcome in evidence.outcomes)
        text = f"{failed} of the last {len(evidence.outcomes)} publications failed."
        reasons.append(Reason(code="failures", text=text, advice="Read their errors and act on them."))
    return reasons[:3]
