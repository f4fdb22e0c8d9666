"""Storing content that may be published later."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from services.api.accounts.require_accounts import account_faults
from services.api.http import Caller, Fault, invalid
from services.api.media.store import hold_all
from services.api.posts import store
from services.api.posts.check_content import content_faults, require_none
from services.api.posts.check_media import named_media
from services.api.posts.content import Content
from shared.database import Connection

_OVERRIDES_MAX = 10_000


async def create_post(tx: Connection, content: Content, *, caller: Caller) -> UUID:
    """Store a post.

    Raises:
        ProblemError: the platform would refuse it, or a medium or account is not the user's. It names every fault.
    """
    await hold_all(tx, named_media(content.media_ids, content.options), user_id=caller.user_id)
    faults = await content_faults(tx, content, caller=caller)
    faults += await override_faults(tx, content.own_captions, caller=caller)
    require_none(faults)
    return await store.insert(tx, content, user_id=caller.user_id)


async def override_faults(tx: Connection, account_ids: Iterable[UUID], *, caller: Caller) -> list[Fault]:
    """What is wrong with the accounts that shall have captions of their own.

    Raises:
        ProblemError: they are too many, or the key may not act on one of them.
    """
    named = list(account_ids)
    if len(named) > _OVERRIDES_MAX:
        raise invalid("invalid_value", f"At most {_OVERRIDES_MAX:,} overrides are kept.", path="overrides")
    caller.require_allowed(named, named=True)
    return await account_faults(tx, named, path="overrides", user_id=caller.user_id)
