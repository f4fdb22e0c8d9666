"""Why a score is not 100: what costs most, in words, each with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.health.components import Component
from services.health.facts import Evidence
from services.health.gates import Gate
from services.health.lacks import LACKS
from services.health.words import Reason, gate_reason

#: What the weighted mean and the weakest vital component make up of a score.
MEAN_SHARE, WEAKEST_SHARE = 0.7, 0.3
_MOST = 3
# What costs less than a point is hardly seen in the score.
_LEAST_COST = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Reckoning:
    """What a score was computed from."""

    raw: float  # before the gates
    components: Mapping[Component, float]
    weights: Mapping[Component, float]
    weakest: Component  # of the vital ones
    gates: Mapping[Gate, int]

    def price(self, component: Component) -> float:
        """Points of the score for each point that the component lacks."""
        return MEAN_SHARE * self.weights[component] + (WEAKEST_SHARE if component is self.weakest else 0.0)


# A component that a gate says all about.
_SAID_BY: Mapping[Gate, Component] = MappingProxyType(
    {
        Gate.TOKEN_DEAD: Component.ACCESS,
        Gate.RENEWAL_FAILING: Component.ACCESS,
        Gate.FAILURES_IN_A_ROW: Component.PUBLISHING,
        Gate.RESTRICTED: Component.ERRORS,
        Gate.POLICY_BLOCK: Component.ERRORS,
        Gate.SPAM_SUSPECTED: Component.ERRORS,
    }
)


def find_reasons(evidence: Evidence, found: Reckoning) -> list[Reason]:
    """The three that cost most."""
    costly = [(_gate_cost(gate, cap, found), gate_reason(gate)) for gate, cap in found.gates.items()]
    said = [_SAID_BY.get(gate) for gate in found.gates]
    for component, value in found.components.items():
        price = found.price(component)
        if (100 - value) * price >= _LEAST_COST and component not in said:
            costly += [(lost * price, reason) for lost, reason in LACKS[component](100 - value, evidence)]
    costly.sort(key=_cost, reverse=True)
    return [reason for _, reason in costly[:_MOST]]


def _gate_cost(gate: Gate, cap: int, found: Reckoning) -> float:
    """What the cap takes, and what the component lacks that it speaks for."""
    component = _SAID_BY.get(gate)
    if component is None or component not in found.components:
        return found.raw - cap
    return found.raw - cap + (100 - found.components[component]) * found.price(component)


def _cost(one: tuple[float, Reason]) -> float:
    return one[0]
