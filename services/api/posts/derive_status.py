"""What a post's publications say about the post."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.publications import PublicationState


class PostStatus(StrEnum):
    """Where a post stands as a whole. It is derived, never stored."""

    DRAFT = "draft"  # nothing was asked of it yet
    SCHEDULED = "scheduled"  # all of it is still to come
    PUBLISHING = "publishing"  # under way, or partly done with more to come
    PUBLISHED = "published"  # live wherever it was wished for
    PARTIAL = "partial"  # ended, live on some accounts only
    FAILED = "failed"  # ended, live nowhere
    CANCELED = "canceled"
    UNRESOLVED = "unresolved"  # ended but for publications of which nobody knows whether they are live


_WAITING = (PublicationState.SCHEDULED, PublicationState.HELD)


def derive_status(counts: Mapping[str, int]) -> PostStatus:
    """The status of a post.

    Args:
        counts: its publications by state; states without any may be missing.
    """
    present = {state for state in PublicationState if counts.get(state, 0) > 0}
    if not present:
        return PostStatus.DRAFT
    if present & {*_WAITING, PublicationState.PUBLISHING}:
        return PostStatus.SCHEDULED if present <= {*_WAITING, PublicationState.CANCELED} else PostStatus.PUBLISHING
    if PublicationState.OUTCOME_UNKNOWN in present:
        return PostStatus.UNRESOLVED
    wished_for = present - {PublicationState.CANCELED}
    if not wished_for:
        return PostStatus.CANCELED
    if wished_for == {PublicationState.PUBLISHED}:
        return PostStatus.PUBLISHED
    return PostStatus.PARTIAL if PublicationState.PUBLISHED in wished_for else PostStatus.FAILED
