"""Why nothing, or something else, came of a due time: the closed set of docs/scheduling.md."""

from __future__ import annotations

from enum import StrEnum


class OccurrenceReason(StrEnum):
    """The reason of an occurrence."""

    # distributed
    WINDOW_EXTENDED = "window_extended"
    # skipped
    DST_GAP = "dst_gap"
    MISFIRE = "misfire"
    SUPERSEDED = "superseded"
    TOO_LATE = "too_late"
    QUEUE_EMPTY = "queue_empty"
    NO_ACCOUNT = "no_account"
    PAUSED = "paused"
    REMOVED = "removed"
    # failed
    POST_GONE = "post_gone"
    QUEUE_GONE = "queue_gone"
    ACCOUNT_GONE = "account_gone"
    GROUP_GONE = "group_gone"
    GAVE_UP = "gave_up"
