"""Which dead jobs a request means."""

from __future__ import annotations

from services.api.http import ProblemError, aware, invalid
from services.api.jobs.contract import TYPES, DeadQuery, DiscardQuery, Redrive
from shared.jobs import DeadFilter


def choose_dead(wish: DeadQuery | DiscardQuery | Redrive) -> DeadFilter:
    """The filter that a request gives.

    Raises:
        ProblemError: its type is none, or a time lacks its offset.
    """
    if wish.type is not None and wish.type not in TYPES:
        raise invalid("invalid_value", f"Must be one of: {', '.join(TYPES)}.", path="type")
    for path, time in (("from", wish.died_after), ("to", wish.died_before)):
        if time is not None:
            aware(time, path=path)
    return DeadFilter(
        type=wish.type,
        reason=wish.reason,
        subject=wish.subject,
        died_after=wish.died_after,
        died_before=wish.died_before,
    )


def choose_some(wish: DiscardQuery | Redrive) -> DeadFilter:
    """The filter of a request that changes dead jobs, which must say whether it means all of them.

    Raises:
        ProblemError: it means none, or two things at once; or as `choose_dead`.
    """
    which = choose_dead(wish)
    is_filter = which != DeadFilter()
    if is_filter == wish.everything:
        detail = "Say which dead jobs: give a filter such as type, or all=true, and not both."
        raise ProblemError("validation_failed", detail)
    return which
