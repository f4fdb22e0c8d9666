"""Whose fault a refusal is, and how heavily it weighs: two tables, by the class of the error.

What the platform, the app or this system did counts nothing against an account. The number decides before the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.health.facts import PastFault
from shared.instagram import ErrorClass

#: The platform takes the account's post for spam.
SPAM_SUBCODE = 2207051
#: The platform blocked the account for its policy.
POLICY_CODE = 368


@dataclass(frozen=True, kw_only=True, slots=True)
class Weight:
    """How much a fault speaks against the account."""

    blame: float = 0.0  # of a publication that failed so: 1 the account, 0.5 its content, 0 others
    severity: float = 0.0  # of each refusal of a try


_NOTHING = Weight()
_CONTENT = Weight(blame=0.5, severity=1)

BY_CLASS: Mapping[str, Weight] = MappingProxyType(
    {
        ErrorClass.TRANSIENT.value: _NOTHING,
        ErrorClass.NOT_READY.value: _NOTHING,
        ErrorClass.UNKNOWN.value: _NOTHING,
        # Capacity tells of it.
        ErrorClass.QUOTA.value: _NOTHING,
        # A container is lost for many reasons; only where that ended the publication, its media was at fault.
        ErrorClass.NEW_CONTAINER.value: Weight(blame=0.5),
        ErrorClass.FIX_CONTENT.value: _CONTENT,
        ErrorClass.THROTTLED.value: Weight(blame=1, severity=1),
        ErrorClass.REAUTH.value: Weight(blame=1, severity=4),
        ErrorClass.SPAM_SUSPECTED.value: Weight(blame=1, severity=8),
        ErrorClass.RESTRICTED.value: Weight(blame=1, severity=10),
    }
)
BY_CODE: Mapping[int, Weight] = MappingProxyType(
    {
        -1: _NOTHING,  # the platform's own, whatever was lost by it
        4: _NOTHING,  # a limit of the app: all accounts use it up together
        341: _NOTHING,
        2500: _NOTHING,  # a request that this system made wrong
    }
)


def weigh(fault: PastFault) -> Weight:
    """How much one fault speaks against its account."""
    if fault.code is not None and fault.code in BY_CODE and fault.subcode != SPAM_SUBCODE:
        return BY_CODE[fault.code]
    return BY_CLASS.get(fault.error_class or "", _NOTHING)
