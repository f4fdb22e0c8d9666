"""A move of a publication, as whoever wants it says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.publications.states import Owner, PublicationState


@dataclass(frozen=True, kw_only=True)
class Change:
    """Where a publication goes, and what is written with it."""

    to: PublicationState
    owner: Owner
    reason: str | None = None  # a stable word: `quota`, `reauth_required`, `exhausted`, ...
    error: Mapping[str, Any] | None = None  # what the platform or the system said
    delay_s: float = 0.0  # to `scheduled` only: how long until it may be claimed
    rescue_after_s: float = 60.0  # to `scheduled` only: how long past due until it counts as forgotten
    through_outbox: bool = False  # to `scheduled` only: also write the message that brings it back
    give_back: int = 0  # so many tries, the last included, were not the publication's own failures: they do not count
    new_revision: bool = False  # a person's edit or retry: attempts begin again, older messages are void
    drop_container: bool = False  # the container is of no more use
    unsend: bool = False  # the last publish call certainly had no effect; an earlier one stays on the row's record
    media_id: str | None = None
    permalink: str | None = None
