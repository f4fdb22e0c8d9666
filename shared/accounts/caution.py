"""What follows from an account's health, and for how long a person has waived it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.outbox import Event


class Caution(StrEnum):
    """How careful this system is with an account."""

    NONE = "none"
    HALVED = "halved"  # half of its cap, and nothing new is distributed to it
    HELD = "held"  # nothing is published on it


def halve(cap: int) -> int:
    """What is left of a cap for an account at risk: half of it, and at least one."""
    return max(1, cap // 2)


#: What a statement selects of `accounts`: the caution in force, which is none as long as a person has waived it.
CAUTION_COLUMN = """
    CASE WHEN accounts.caution_waived_until > now() THEN 'none' ELSE accounts.caution END AS caution
"""


def caution_event(
    account_id: UUID, *, user_id: UUID, caution: Caution, band: str | None, waived_until: datetime | None
) -> Event:
    """The event that tells how careful the system is with an account from now on.

    Args:
        account_id: the account.
        user_id: its tenant.
        caution: the one in force.
        band: where its health lies; None if nobody has judged it.
        waived_until: until when a person lets it go on whatever its health is; None if nobody does.
    """
    payload = {
        "caution": caution.value,
        "band": band,
        "waived_until": waived_until.isoformat() if waived_until else None,
    }
    return Event(user_id=user_id, type="account.caution", subject=account_id, payload=payload)
