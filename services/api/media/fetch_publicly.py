"""Refusing to plan a post whose media the platform could not fetch."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.api.connections import begin, connect
from services.api.deps import Deps
from services.api.http import Fault, ProblemError
from shared.publications import Look, Medium, find_unfetched, find_unfetched_media, look_at, note_looks
from shared.security import PublicFetch

# What was fetched this lately is believed: a series of calls for one post fetches once.
_FRESH_S = 600.0
_ADVICE = (
    "PUBLIC_URL must lead to this system's /media/ from the internet. If it does, and only this network cannot reach"
    " it, set PUBLIC_FETCH_TEST=off."
)


async def require_reachable(deps: Deps, post_id: UUID, *, user_id: UUID) -> None:
    """Go on only if each medium of the post can be fetched through its public address. Hold no transaction meanwhile.

    Raises:
        ProblemError: `media_unreachable`, with what was seen of each.
    """
    if deps.public_fetch is None:
        return
    async with connect(deps.pool) as connection:
        media = await find_unfetched(connection, user_id=user_id, post_id=post_id, fresh_s=_FRESH_S)
    await _require_all(deps, deps.public_fetch, media, post_id=post_id, user_id=user_id)


async def require_reachable_media(
    deps: Deps, media_ids: Sequence[UUID], *, cover_id: UUID | None, post_id: UUID, user_id: UUID
) -> None:
    """The same of media that the post is about to show; those of others are left to whoever checks the post."""
    if deps.public_fetch is None:
        return
    async with connect(deps.pool) as connection:
        media = await find_unfetched_media(connection, media_ids, cover_id=cover_id, user_id=user_id, fresh_s=_FRESH_S)
    await _require_all(deps, deps.public_fetch, media, post_id=post_id, user_id=user_id)


async def _require_all(
    deps: Deps, fetch: PublicFetch, media: Sequence[Medium], *, post_id: UUID, user_id: UUID
) -> None:
    if not media:
        return
    looks = await look_at(fetch, media)
    async with begin(deps.pool) as tx:
        await note_looks(tx, looks, user_id=user_id, post_id=post_id)
    faults = [_fault(look) for look in looks if look.reason is not None]
    if faults:
        raise ProblemError("media_unreachable", f"{faults[0].message} {_ADVICE}", errors=faults)


def _fault(look: Look) -> Fault:
    position = look.medium.position
    path = "options.cover_media_id" if position is None else f"media_ids[{position}]"
    return Fault(
        code="media_unreachable", message=f"The platform could not fetch this medium: {look.reason}.", path=path
    )
