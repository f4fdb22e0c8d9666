"""What each component of a score lacks, in words: the points that are lost, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from services.health.blame import weigh
from services.health.components import PER_MISSING_SCOPE, PER_REFRESH_FAILURE, Component, life
from services.health.facts import Evidence
from services.health.words import CONNECT, ERROR_ADVICE, Reason

#: Points of a component, and why they are lost.
Lacks: TypeAlias = Iterator[tuple[float, Reason]]


def _access(_lost: float, evidence: Evidence) -> Lacks:
    days = evidence.token_days_left or 0.0
    if (lost := 100 - life(days)) > 0:
        text = "The access token ends within a day." if days < 1 else f"The access token ends in {days:.0f} days."
        advice = "It is renewed by itself; if this stays, ask the owner to connect the account again."
        yield lost, Reason(code="token_expiring", text=text, advice=advice)
    if failed := evidence.refresh_failures:
        text = f"The renewal of its token failed {failed} time{'s'[: failed > 1]} in a row."
        yield PER_REFRESH_FAILURE * failed, Reason(code="renewal_fails", text=text, advice=CONNECT)
    if missing := evidence.missing_scopes:
        text = f"{missing} of the permissions that are of use {'are' if missing > 1 else 'is'} missing."
        advice = "Ask the owner to connect the account again and to allow all that is asked for."
        yield PER_MISSING_SCOPE * missing, Reason(code="scopes_missing", text=text, advice=advice)


def _publishing(lost: float, evidence: Evidence) -> Lacks:
    if failed := sum(weigh(fault).blame > 0 for fault in evidence.failures):
        text = f"{failed} of its last {len(evidence.published_days) + len(evidence.failures)} publications failed."
        yield lost, Reason(code="failures", text=text, advice="Read their errors and act on them.")


def _errors(lost: float, evidence: Evidence) -> Lacks:
    counted = [fault for fault in evidence.errors if weigh(fault).severity > 0]
    if counted:
        worst = max(counted, key=lambda fault: (weigh(fault).severity, -fault.age_days)).error_class or ""
        text = f"The platform refused {len(counted)} of its calls within 14 days, at worst as {worst}."
        yield lost, Reason(code="errors", text=text, advice=ERROR_ADVICE[worst])


def _capacity(lost: float, evidence: Evidence) -> Lacks:
    text = f"{min(evidence.used_share or 0.0, 1.0):.0%} of what the platform allows is used up."
    yield lost, Reason(code="capacity", text=text, advice="Spread its posts over more hours or days.")


def _engagement(lost: float, evidence: Evidence) -> Lacks:
    ratio = evidence.engagement_ratio or 0.0
    if ratio < 1:
        text = f"Its newer posts engage {ratio:.0%} of what older ones did."
        yield lost, Reason(code="engagement_falls", text=text, advice="Look at what its newer posts do otherwise.")


def _followers(lost: float, evidence: Evidence) -> Lacks:
    growth = evidence.follower_growth or 0.0
    if growth < 0:
        text = f"It has lost {-growth:.1%} of its followers in four weeks."
        yield lost, Reason(code="followers_fall", text=text, advice="Look at what it publishes, and how often.")


#: What a component lacks, given how many points it lacks in all.
LACKS: Mapping[Component, Callable[[float, Evidence], Lacks]] = MappingProxyType(
    {
        Component.ACCESS: _access,
        Component.PUBLISHING: _publishing,
        Component.ERRORS: _errors,
        Component.CAPACITY: _capacity,
        Component.ENGAGEMENT: _engagement,
        Component.FOLLOWERS: _followers,
    }
)
