"""Rotating an API key: another one takes over, and both work for a while."""

from __future__ import annotations

import msgspec

from services.api.http import Caller, ProblemError
from services.api.keys import store
from services.api.keys.change_key import is_live
from services.api.keys.check_rights import check_rights, clean_account_ids, clean_end, clean_scopes
from services.api.keys.contract import ApiKey, Rotation
from services.api.keys.store import Rights
from shared.database import Connection
from shared.security import NewApiKey


async def rotate_key(tx: Connection, key: ApiKey, rotation: Rotation, *, made: NewApiKey, caller: Caller) -> ApiKey:
    """Make a key with the same rights, and let the old one end; the tenant's row is locked.

    Args:
        tx: the transaction.
        key: the old one.
        rotation: how long it still works, and until when the new one does.
        made: the secret part of the new one.
        caller: who asks.

    Raises:
        ProblemError: the key does not work any more, or is being rotated already (`state_conflict`); or it is more than
            the caller's own.
    """
    if not is_live(key):
        raise ProblemError("state_conflict", "The key does not work any more. Make another one.")
    twin = await store.find_twin(tx, key, user_id=caller.user_id)
    if twin is not None:
        detail = "Two keys of this rotation work already. Revoke the one that is not needed, or wait for its end."
        raise ProblemError("state_conflict", detail, existing_id=twin)
    ends = key.expires_at if rotation.expires_at is msgspec.UNSET else clean_end(rotation.expires_at)
    rights = Rights(
        name=key.name,
        scopes=clean_scopes(key.scopes),
        account_ids=clean_account_ids(key.account_ids),
        expires_at=ends,
    )
    check_rights(rights, caller)
    await store.end_after(tx, key.id, seconds=rotation.overlap_s, user_id=caller.user_id)
    return await store.insert(
        tx,
        rights,
        key_id=made.key_id,
        secret_hash=made.secret_hash,
        replaces=key.id,
        user_id=caller.user_id,
    )
