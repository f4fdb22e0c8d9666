"""Storing content that may be published later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.api.accounts.require_accounts import require_accounts
from services.api.http import Fault, ProblemError, invalid
from services.api.media import store as media_store
from services.api.posts import store
from services.api.posts.check_caption import check_caption
from shared.database import Connection

_OVERRIDES_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a post says and shows."""

    caption: str
    media_ids: Sequence[UUID]
    own_captions: Mapping[UUID, str]  # of single accounts, instead of the caption


async def create_post(tx: Connection, content: Content, *, user_id: UUID) -> UUID:
    """Store a post.

    Raises:
        ProblemError: the platform would refuse it, or a medium or account is not the user's.
    """
    _require_publishable(content)
    missing = await media_store.missing(tx, content.media_ids, user_id=user_id)
    if missing:
        fault = Fault(code="not_found", message="There is no such media.", path="media_ids[0]")
        raise ProblemError("not_found", "The media does not exist.", errors=[fault])
    await require_accounts(tx, list(content.own_captions), path="overrides", user_id=user_id)
    overrides = {str(account_id): {"caption": caption} for account_id, caption in content.own_captions.items()}
    return await store.insert(
        tx, caption=content.caption, media_ids=content.media_ids, overrides=overrides, user_id=user_id
    )


def _require_publishable(content: Content) -> None:
    if len(content.media_ids) != 1:
        raise invalid("invalid_value", "A post of the type image has exactly one media id.", path="media_ids")
    if len(content.own_captions) > _OVERRIDES_MAX:
        raise invalid("invalid_value", f"At most {_OVERRIDES_MAX:,} overrides are kept.", path="overrides")
    faults = check_caption(content.caption, path="caption")
    for account_id, caption in content.own_captions.items():
        faults += check_caption(caption, path=f"overrides.{account_id}.caption")
    if faults:
        raise ProblemError("validation_failed", faults[0].message, errors=faults)
