"""`/v1/me`: whose key this is."""

from __future__ import annotations

from uuid import UUID

import msgspec

from services.api.call import Call
from services.api.http import Answer, NoQuery, answer
from services.api.routing import get


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key it is, and what it may do."""

    user_id: UUID
    email: str
    key_id: str  # the part of the key that is no secret
    scopes: list[str]
    account_ids: list[UUID] | None  # the only accounts it may see and act on; null: all


async def get_me(call: Call[NoQuery, None]) -> Answer[Me]:
    """Tell the caller who it is."""
    caller = call.caller
    return answer(
        Me(
            user_id=caller.user_id,
            email=caller.email,
            key_id=caller.key_id,
            scopes=sorted(caller.scopes),
            account_ids=caller.allowed,
        )
    )


ROUTES = [get("/v1/me", get_me, limited=True)]
