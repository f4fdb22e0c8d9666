"""Saying what became of a publication whose outcome the system could not find out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from services.api.http import ProblemError, invalid
from services.api.publications import archive, store
from shared.database import Connection
from shared.publications import UNKNOWN_CONTAINER, Change, Owner, PublicationState, transition

_SHAPES = {
    "media_id": (
        re.compile(r"[0-9]{1,32}", re.ASCII),
        "The platform's media id has 1 to 32 digits and nothing else.",
    ),
    "permalink": (
        re.compile(r"https://[!-~]{1,2040}", re.ASCII),
        "A permalink begins with https:// and holds at most 2,048 plain characters without blanks.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What a person found out by looking at the account."""

    outcome: PublicationState  # published or failed
    media_id: str | None  # of what is live, if known
    permalink: str | None


async def resolve_publication(tx: Connection, publication_id: UUID, resolution: Resolution, *, user_id: UUID) -> None:
    """End a publication as a person says it ended.

    Raises:
        ProblemError: its outcome is not open, or it was archived meanwhile (`state_conflict`); or the resolution
            contradicts itself.
    """
    _check(resolution)
    row = await store.lock(tx, publication_id, user_id=user_id)
    if row is None:
        raise archive.refuse_change()
    if row["state"] != PublicationState.OUTCOME_UNKNOWN:
        detail = f"Only a publication whose outcome is unknown is resolved; this one is {row['state']}."
        raise ProblemError("state_conflict", detail)
    change = Change(
        to=resolution.outcome,
        owner=Owner.API,
        reason="resolved_by_user",
        media_id=resolution.media_id,
        permalink=resolution.permalink,
        # After a restore no container is known: what the person saw is all there is, and a retry begins anew.
        drop_container=row["container_id"] == UNKNOWN_CONTAINER,
    )
    await transition(tx, publication_id, change, user_id=user_id)


def _check(resolution: Resolution) -> None:
    given = {"media_id": resolution.media_id, "permalink": resolution.permalink}
    for path, value in given.items():
        shape, message = _SHAPES[path]
        if value is not None and resolution.outcome is not PublicationState.PUBLISHED:
            raise invalid("invalid_value", f"What is not live has no {path}.", path=path)
        if value is not None and not shape.fullmatch(value):
            raise invalid("invalid_value", message, path=path)
