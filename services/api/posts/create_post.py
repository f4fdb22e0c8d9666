"""Storing content that may be published later."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.api.accounts.require_accounts import account_faults
from services.api.http import Fault, ProblemError, invalid
from services.api.media.store import facts_of, find_all
from services.api.posts import store
from services.api.posts.check_caption import check_captions
from services.api.posts.check_media import check_media, named_media
from services.api.posts.check_options import check_options
from services.api.posts.content import Content
from shared.database import Connection

_OVERRIDES_MAX = 10_000


async def create_post(tx: Connection, content: Content, *, user_id: UUID) -> UUID:
    """Store a post.

    Raises:
        ProblemError: the platform would refuse it, or a medium or account is not the user's. It names every fault.
    """
    if len(content.own_captions) > _OVERRIDES_MAX:
        raise invalid("invalid_value", f"At most {_OVERRIDES_MAX:,} overrides are kept.", path="overrides")
    rows = await find_all(tx, named_media(content), user_id=user_id)
    known = {media_id: facts_of(row) for media_id, row in rows.items()}
    faults = [*check_captions(content), *check_media(content, known), *check_options(content, known)]
    faults += await account_faults(tx, list(content.own_captions), path="overrides", user_id=user_id)
    if faults:
        raise _refused(faults)
    return await store.insert(tx, content, user_id=user_id)


def _refused(faults: Sequence[Fault]) -> ProblemError:
    only_unknown = all(fault.code == "not_found" for fault in faults)
    return ProblemError("not_found" if only_unknown else "validation_failed", faults[0].message, errors=faults)
