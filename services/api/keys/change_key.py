"""Changing and revoking API keys, of which one must be left that can make others."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from services.api.accounts.require_accounts import require_accounts
from services.api.http import Caller, ProblemError, Scope
from services.api.keys import store
from services.api.keys.check_rights import (
    check_rights,
    clean_account_ids,
    clean_end,
    clean_name,
    clean_scopes,
)
from services.api.keys.contract import ApiKey, KeyChanges
from services.api.keys.store import Rights
from shared.database import Connection


async def change_key(tx: Connection, key: ApiKey, changes: KeyChanges, *, caller: Caller) -> ApiKey:
    """Change a key; the tenant's row is locked.

    Raises:
        ProblemError: the key is revoked or would leave the tenant without an admin key (`state_conflict`), is or would
            be more than the caller's own, or an account is unknown (`not_found`).
    """
    if key.revoked_at is not None:
        raise ProblemError("state_conflict", "The key is revoked, for good. Make another one.")
    rights = check_rights(_merge(key, changes), caller)
    if isinstance(changes.account_ids, list):
        await require_accounts(tx, changes.account_ids, path="account_ids", user_id=caller.user_id)
    if Scope.ADMIN not in rights.scopes:
        await _require_other_admin(tx, key, user_id=caller.user_id)
    return await store.update(tx, key.id, rights, user_id=caller.user_id)


async def revoke_key(tx: Connection, key: ApiKey, *, user_id: UUID) -> ApiKey:
    """End a key; the tenant's row is locked.

    Raises:
        ProblemError: it is the last one that can make others (`state_conflict`).
    """
    await _require_other_admin(tx, key, user_id=user_id)
    return await store.revoke(tx, key.id, user_id=user_id)


def is_live(key: ApiKey) -> bool:
    """Whether the key works now."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > datetime.now(UTC))


def _merge(key: ApiKey, changes: KeyChanges) -> Rights:
    unset = msgspec.UNSET
    return Rights(
        name=key.name if changes.name is unset else clean_name(changes.name),
        scopes=clean_scopes(key.scopes if changes.scopes is unset else changes.scopes),
        account_ids=clean_account_ids(key.account_ids if changes.account_ids is unset else changes.account_ids),
        expires_at=key.expires_at if changes.expires_at is unset else clean_end(changes.expires_at),
    )


async def _require_other_admin(tx: Connection, key: ApiKey, *, user_id: UUID) -> None:
    if Scope.ADMIN not in key.scopes or not is_live(key):
        return
    live = await store.count_live(tx, besides=key.id, user_id=user_id)
    if not live.admins:
        detail = "It is the last key with the scope admin, and without one nobody could make keys. Make another first."
        raise ProblemError("state_conflict", detail)
