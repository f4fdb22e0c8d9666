"""How publications end by themselves: what the content or its owner caused told apart from what is for us to mend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from shared import metrics
from shared.publications.publication import Publication
from shared.publications.states import PublicationState


class Ending(StrEnum):
    """How a publication ended."""

    PUBLISHED = "published"
    REFUSED = "refused"  # its content, or what its owner must mend
    FAILED = "failed"  # anything else: the platform, the network, or this system
    MISSED = "missed"
    UNKNOWN = "unknown"


#: Each reason of `failed` that this system writes, and whose doing it is. Media are fetched from our own store: that
#: nobody can reach them is ours to mend.
FAILED_REASONS: Mapping[str, Ending] = MappingProxyType(
    {
        "content_rejected": Ending.REFUSED,
        "content_gone": Ending.REFUSED,
        "media_unreachable": Ending.FAILED,
        "not_published": Ending.FAILED,
        "exhausted": Ending.FAILED,
        "crash_loop": Ending.FAILED,
        "deadline": Ending.FAILED,
        "undecodable": Ending.FAILED,
        "unknown_type": Ending.FAILED,
        "unknown_version": Ending.FAILED,
        "unreadable": Ending.FAILED,
    }
)
# A person wished so; what waits for that becomes too late by their wish.
_STOPPED: frozenset[str] = frozenset({"account_paused", "account_disconnected", "distribution_paused"})
_ENDING_OF: Mapping[PublicationState, Ending] = MappingProxyType(
    {
        PublicationState.PUBLISHED: Ending.PUBLISHED,
        PublicationState.MISSED: Ending.MISSED,
        PublicationState.OUTCOME_UNKNOWN: Ending.UNKNOWN,
    }
)


def ending_of(state: PublicationState, reason: str | None) -> Ending | None:
    """How a publication in this state has ended; None if it has not, or by a person's wish."""
    if state is PublicationState.MISSED and reason in _STOPPED:
        return None
    if state is PublicationState.FAILED:
        return FAILED_REASONS.get(reason or "", Ending.FAILED)
    return _ENDING_OF.get(state)


def count_ended(publications: Iterable[Publication]) -> None:
    """Count those of these that came to an end, after the transaction that moved them there was committed.

    Whoever moves publications by a person's wish does not call this.
    """
    for publication in publications:
        ending = ending_of(publication.state, publication.reason)
        if ending is not None:
            metrics.publications_ended_total.labels(ending.value).inc()
