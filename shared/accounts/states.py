"""States and arrows of an account, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccountState(StrEnum):
    """Where an account stands."""

    NEW = "NEW"
    WARMING_UP = "WARMING_UP"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    NEEDS_REAUTH = "NEEDS_REAUTH"
    RESTRICTED = "RESTRICTED"
    DISCONNECTED = "DISCONNECTED"


class Owner(StrEnum):
    """Who may take an arrow."""

    API = "api"
    PUBLISHER = "publisher"
    HEALTH = "health"


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """One move, who may make it, and the event that tells of it."""

    source: AccountState
    target: AccountState
    owner: Owner
    event: str


#: States in which the publisher may act for an account.
PUBLISHABLE = frozenset({AccountState.NEW, AccountState.WARMING_UP, AccountState.ACTIVE})

ARROWS: tuple[Arrow, ...] = (
    *(
        Arrow(source=source, target=AccountState.NEEDS_REAUTH, owner=owner, event="account.reauth_required")
        for owner in (Owner.PUBLISHER, Owner.HEALTH, Owner.API)
        for source in sorted(PUBLISHABLE)
    ),
    *(
        Arrow(source=source, target=AccountState.RESTRICTED, owner=Owner.PUBLISHER, event="account.restricted")
        for source in sorted(PUBLISHABLE)
    ),
    Arrow(source=AccountState.NEW, target=AccountState.ACTIVE, owner=Owner.PUBLISHER, event="account.connected"),
    # A warm-up begins with the first publication under a protocol, and ends with the first after its last day.
    *(
        Arrow(source=source, target=AccountState.WARMING_UP, owner=Owner.PUBLISHER, event="account.warmup_started")
        for source in (AccountState.ACTIVE, AccountState.NEW)
    ),
    Arrow(
        source=AccountState.WARMING_UP,
        target=AccountState.ACTIVE,
        owner=Owner.PUBLISHER,
        event="account.warmup_finished",
    ),
    Arrow(source=AccountState.NEEDS_REAUTH, target=AccountState.ACTIVE, owner=Owner.API, event="account.connected"),
    Arrow(source=AccountState.DISCONNECTED, target=AccountState.ACTIVE, owner=Owner.API, event="account.connected"),
    # The platform takes the token again that it refused: its owner has cleared what stood in the way.
    Arrow(source=AccountState.NEEDS_REAUTH, target=AccountState.ACTIVE, owner=Owner.HEALTH, event="account.connected"),
    *(
        Arrow(source=source, target=AccountState.PAUSED, owner=Owner.API, event="account.paused")
        for source in sorted(PUBLISHABLE)
    ),
    # A pause ends where it began: of these, the row's `paused_from` leaves one open.
    *(
        Arrow(source=AccountState.PAUSED, target=target, owner=Owner.API, event="account.resumed")
        for target in sorted(PUBLISHABLE)
    ),
    Arrow(source=AccountState.RESTRICTED, target=AccountState.ACTIVE, owner=Owner.API, event="account.resumed"),
    # Its owner takes it out of the system, whatever its state.
    *(
        Arrow(source=source, target=AccountState.DISCONNECTED, owner=Owner.API, event="account.disconnected")
        for source in AccountState
        if source is not AccountState.DISCONNECTED
    ),
)
