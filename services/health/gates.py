"""Gates: facts that no good number outweighs. Each caps the score until evidence clears it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from services.health.blame import POLICY_CODE, SPAM_SUBCODE, weigh
from services.health.facts import Evidence


class Gate(StrEnum):
    """What caps a score."""

    TOKEN_DEAD = "token_dead"  # noqa: S105 - the name of a gate, not a token
    CHECKPOINT = "checkpoint"
    PUBLISH_SCOPE_LOST = "publish_scope_lost"
    RESTRICTED = "restricted"
    POLICY_BLOCK = "policy_block"
    SPAM_SUSPECTED = "spam_suspected"
    RENEWAL_FAILING = "renewal_failing"
    FAILURES_IN_A_ROW = "failures_in_a_row"
    UNRESOLVED = "unresolved"


#: At most so much while it is closed.
CAPS: Mapping[Gate, int] = MappingProxyType(
    {
        Gate.TOKEN_DEAD: 10,
        Gate.CHECKPOINT: 15,
        Gate.PUBLISH_SCOPE_LOST: 20,
        Gate.RESTRICTED: 25,
        Gate.POLICY_BLOCK: 30,
        Gate.SPAM_SUSPECTED: 40,
        Gate.RENEWAL_FAILING: 45,
        Gate.FAILURES_IN_A_ROW: 50,
        Gate.UNRESOLVED: 60,
    }
)
_RENEWALS, _RENEWAL_DAYS = 2, 3.0
_FAILURES = 3
_SPAM_DAYS = 1.0


def closed_gates(evidence: Evidence) -> dict[Gate, int]:
    """Those that are closed, with their caps, the lowest first."""
    days = evidence.token_days_left
    closed = (
        evidence.token_dead or (days is not None and days <= 0),
        evidence.at_checkpoint,
        evidence.publish_scope_lost,
        evidence.restricted,
        _is_blocked(evidence),
        _is_suspected(evidence),
        evidence.refresh_failures >= _RENEWALS and days is not None and days < _RENEWAL_DAYS,
        len(evidence.failures) >= _FAILURES and _failed_in_a_row(evidence) >= _FAILURES,
        evidence.unresolved > 0,
    )
    if not any(closed):
        return {}
    return {gate: cap for (gate, cap), is_closed in zip(CAPS.items(), closed, strict=True) if is_closed}


def _last_published(evidence: Evidence) -> float:
    return min(evidence.published_days, default=float("inf"))


def _is_blocked(evidence: Evidence) -> bool:
    """Whether nothing has been published since the platform's block."""
    ages = [fault.age_days for fault in evidence.errors if fault.code == POLICY_CODE]
    return bool(ages) and min(ages) < _last_published(evidence)


def _is_suspected(evidence: Evidence) -> bool:
    return any(fault.subcode == SPAM_SUBCODE and fault.age_days <= _SPAM_DAYS for fault in evidence.errors)


def _failed_in_a_row(evidence: Evidence) -> int:
    """Failures of the account's own since its last success; others' failures in between neither count nor end it."""
    since = _last_published(evidence)
    return sum(fault.age_days < since and weigh(fault).blame >= 1 for fault in evidence.failures)
