"""States and arrows of a publication, as data: the code obeys it and docs/lifecycle.md is drawn from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class PublicationState(StrEnum):
    """Where a publication stands."""

    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    FAILED = "failed"
    HELD = "held"
    CANCELED = "canceled"
    MISSED = "missed"
    OUTCOME_UNKNOWN = "outcome_unknown"


class Owner(StrEnum):
    """Who may take an arrow."""

    API = "api"
    SCHEDULER = "scheduler"
    PUBLISHER = "publisher"
    HEALTH = "health"
    RELEASE = "release_held"  # the one function that re-checks every gate, whoever calls it


class Step(StrEnum):
    """How far the platform's steps have come; each is committed before the call that follows it."""

    CHILDREN_CREATED = "children_created"  # a carousel's: some or all of its items have containers
    CONTAINER_CREATED = "container_created"
    PUBLISH_SENT = "publish_sent"


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """One move and who may make it."""

    source: PublicationState
    target: PublicationState
    owner: Owner


def _arrows() -> Iterator[Arrow]:
    s = PublicationState
    rules: tuple[tuple[tuple[PublicationState, ...], tuple[PublicationState, ...], tuple[Owner, ...]], ...] = (
        ((s.SCHEDULED,), (s.PUBLISHING,), (Owner.PUBLISHER,)),
        (
            (s.PUBLISHING,),
            (s.SCHEDULED, s.PUBLISHED, s.FAILED, s.HELD, s.OUTCOME_UNKNOWN, s.CANCELED),
            (Owner.PUBLISHER,),
        ),
        ((s.SCHEDULED,), (s.HELD,), (Owner.PUBLISHER, Owner.HEALTH, Owner.API)),
        ((s.HELD,), (s.SCHEDULED,), (Owner.RELEASE,)),
        ((s.SCHEDULED, s.HELD), (s.CANCELED,), (Owner.API,)),
        ((s.SCHEDULED, s.HELD), (s.MISSED,), (Owner.SCHEDULER,)),
        ((s.HELD,), (s.OUTCOME_UNKNOWN,), (Owner.SCHEDULER,)),
        ((s.FAILED, s.MISSED, s.CANCELED), (s.SCHEDULED,), (Owner.API,)),
        ((s.OUTCOME_UNKNOWN,), (s.PUBLISHED, s.FAILED), (Owner.API, Owner.PUBLISHER)),
    )
    for sources, targets, owners in rules:
        for source in sources:
            for target in targets:
                for owner in owners:
                    yield Arrow(source=source, target=target, owner=owner)


ARROWS: tuple[Arrow, ...] = tuple(_arrows())

#: States that no arrow leaves without a person's wish.
ENDED = frozenset(
    {PublicationState.PUBLISHED, PublicationState.FAILED, PublicationState.CANCELED, PublicationState.MISSED}
)
#: States in which the same post on the same account would be a duplicate.
LIVE_OR_PUBLISHED = frozenset(
    {
        PublicationState.SCHEDULED,
        PublicationState.PUBLISHING,
        PublicationState.HELD,
        PublicationState.OUTCOME_UNKNOWN,
        PublicationState.PUBLISHED,
    }
)
_EVENT_OF: Mapping[PublicationState, str] = MappingProxyType(
    {
        PublicationState.SCHEDULED: "publication.scheduled",
        PublicationState.PUBLISHED: "publication.published",
        PublicationState.FAILED: "publication.failed",
        PublicationState.HELD: "publication.held",
        PublicationState.CANCELED: "publication.canceled",
        PublicationState.MISSED: "publication.missed",
        PublicationState.OUTCOME_UNKNOWN: "publication.outcome_unknown",
    }
)


def sources_of(target: PublicationState, owner: Owner) -> frozenset[PublicationState]:
    """The states from which this owner may move a publication to `target`."""
    return frozenset(arrow.source for arrow in ARROWS if arrow.target is target and arrow.owner is owner)


def event_of(target: PublicationState, owner: Owner) -> str:
    """The event that tells of an arrival. A claim is no news; the publisher's return to the queue is a deferral."""
    if target is PublicationState.SCHEDULED and owner is Owner.PUBLISHER:
        return "publication.deferred"
    return _EVENT_OF[target]


def draw_states() -> str:
    """The state machine as a Mermaid diagram, one edge per pair of states with its owners."""
    owners: dict[tuple[PublicationState, PublicationState], list[str]] = {}
    for arrow in ARROWS:
        owners.setdefault((arrow.source, arrow.target), []).append(arrow.owner)
    lines = ["stateDiagram-v2", "    [*] --> scheduled: api"]
    lines += [f"    {source} --> {target}: {', '.join(names)}" for (source, target), names in owners.items()]
    lines += [f"    {state} --> [*]" for state in sorted(ENDED)]
    return "\n".join(lines)
