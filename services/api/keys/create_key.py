"""Making an API key."""

from __future__ import annotations

import msgspec

from services.api.accounts.require_accounts import require_accounts
from services.api.http import Caller, ProblemError
from services.api.keys import store
from services.api.keys.check_rights import (
    check_rights,
    clean_account_ids,
    clean_end,
    clean_name,
    clean_scopes,
)
from services.api.keys.contract import ApiKey, MadeApiKey, NewKey
from services.api.keys.store import Rights
from shared.database import Connection
from shared.security import NewApiKey

_LIVE_MAX = 100


async def create_key(tx: Connection, new: NewKey, *, made: NewApiKey, caller: Caller) -> ApiKey:
    """Make a key that may do no more than the caller's; the tenant's row is locked.

    Args:
        tx: the transaction.
        new: what is wished for.
        made: its secret part.
        caller: who makes it.

    Raises:
        ProblemError: the wish cannot be had, an account is unknown (`not_found`), or there are too many keys
            (`state_conflict`).
    """
    rights = Rights(
        name=clean_name(new.name),
        scopes=clean_scopes(new.scopes),
        account_ids=clean_account_ids(new.account_ids),
        expires_at=clean_end(new.expires_at),
    )
    check_rights(rights, caller)
    await require_accounts(tx, rights.account_ids or (), path="account_ids", user_id=caller.user_id)
    await _require_room(tx, caller)
    return await store.insert(tx, rights, key_id=made.key_id, secret_hash=made.secret_hash, user_id=caller.user_id)


def with_secret(key: ApiKey, made: NewApiKey) -> MadeApiKey:
    """The key with what is shown this once."""
    return MadeApiKey(**msgspec.structs.asdict(key), key=made.text)


async def _require_room(tx: Connection, caller: Caller) -> None:
    live = await store.count_live(tx, user_id=caller.user_id)
    if live.keys >= _LIVE_MAX:
        raise ProblemError("state_conflict", f"There are {live.keys} live keys; revoke one that nobody needs first.")
