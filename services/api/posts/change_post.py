"""Changing what a post says and shows, together with all that waits to be published of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msgspec import UNSET

from services.api.connections import connect
from services.api.deps import Deps
from services.api.http import Caller, ProblemError, not_found
from services.api.media.fetch_publicly import require_reachable_media
from services.api.media.store import hold_all
from services.api.posts import store
from services.api.posts.check_content import content_faults, require_none
from services.api.posts.check_media import named_media
from services.api.posts.content import Content
from services.api.posts.contract import PostChange
from services.api.posts.create_post import override_faults
from shared.database import Connection
from shared.publications import PostOptions, revise

_FIXED = (
    "A publication of this post is live, may be, or is being published, and what it says is on record. "
    "Make a new post of what you want to say."
)


async def require_new_media_reachable(deps: Deps, post_id: UUID, change: PostChange, *, user_id: UUID) -> None:
    """Go on only if the platform could fetch what a post is to show from now on, where publications of it wait.

    Hold no transaction meanwhile.

    Raises:
        ProblemError: `media_unreachable`, with what was seen of each.
    """
    media_ids, options = _named(change)
    if not named_media(media_ids, options):
        return
    async with connect(deps.pool) as connection:
        awaited = await store.awaited(connection, [post_id], user_id=user_id)
    if awaited is not None and awaited["number"]:
        cover_id = options.cover_media_id
        await require_reachable_media(deps, media_ids, cover_id=cover_id, post_id=post_id, user_id=user_id)


async def hold_post(tx: Connection, post_id: UUID, change: PostChange, *, user_id: UUID) -> Content:
    """Keep a post as it is until the transaction ends; returns what it says now.

    The media that it is to show are held before it, as those hold them who remove media.

    Raises:
        ProblemError: the user has no such post.
    """
    await hold_all(tx, named_media(*_named(change)), user_id=user_id)
    row = await store.lock(tx, post_id, user_id=user_id)
    if row is None:
        raise not_found("post")
    return store.content_of(row)


async def change_post(
    tx: Connection, post_id: UUID, change: PostChange, *, current: Content, caller: Caller, rescue_after_s: float
) -> int:
    """Let a post say something else, and what waits be published so.

    Args:
        tx: a transaction that holds the post: see `hold_post`.
        post_id: the post.
        change: what is to be different.
        current: what it says now.
        caller: who asks.
        rescue_after_s: seconds past due after which a publication counts as forgotten.

    Returns:
        How many publications go on with the new content.

    Raises:
        ProblemError: something of it is live or may be (`state_conflict`), waits on an account that the key may not act
            on, or the platform would refuse it.
    """
    wanted = changed(current, change, caller=caller)
    if wanted == current:
        return 0
    publication_ids = await _hold_awaited(tx, post_id, caller=caller)
    faults = await content_faults(tx, wanted, caller=caller)
    if change.overrides is not UNSET:
        faults += await override_faults(tx, change.overrides, caller=caller)
    require_none(faults)
    await store.update(tx, post_id, wanted, user_id=caller.user_id)
    return await revise(tx, publication_ids, user_id=caller.user_id, rescue_after_s=rescue_after_s)


def changed(current: Content, change: PostChange, *, caller: Caller) -> Content:
    """What a post says after a change."""
    own_captions = current.own_captions
    if change.overrides is not UNSET:
        # What a limited key is not shown, it does not replace either.
        hidden = {
            account_id: caption for account_id, caption in current.own_captions.items() if not caller.sees(account_id)
        }
        own_captions = hidden | {account_id: override.caption for account_id, override in change.overrides.items()}
    return Content(
        type=current.type if change.type is UNSET else change.type,
        caption=current.caption if change.caption is UNSET else change.caption,
        media_ids=current.media_ids if change.media_ids is UNSET else change.media_ids,
        own_captions=own_captions,
        options=current.options if change.options is UNSET else change.options,
    )


async def _hold_awaited(tx: Connection, post_id: UUID, *, caller: Caller) -> list[UUID]:
    awaited = await store.lock_awaited(tx, post_id, user_id=caller.user_id)
    caller.require_allowed({row["account_id"] for row in awaited})
    fixed = await store.find_fixed(tx, post_id, user_id=caller.user_id)
    if fixed is not None:
        raise ProblemError(
            "state_conflict", _FIXED, existing_id=fixed["id"] if caller.sees(fixed["account_id"]) else None
        )
    return [row["id"] for row in awaited]


def _named(change: PostChange) -> tuple[Sequence[UUID], PostOptions]:
    media_ids = [] if change.media_ids is UNSET else change.media_ids
    return media_ids, PostOptions() if change.options is UNSET else change.options
