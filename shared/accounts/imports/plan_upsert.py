"""What an import would do: rows compared with the accounts that are there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.accounts.imports import store
from shared.accounts.imports.rows import AccountRow, RowFault, RowsRefusedError
from shared.accounts.imports.store import AccountWrite, KnownAccount
from shared.accounts.open_account import TOKEN_COLUMN
from shared.accounts.states import AccountState
from shared.database import Connection
from shared.security import SealedToken, TokenCipher, TokenUnreadableError

#: States from which a token leads back.
_REVIVED = frozenset({AccountState.NEEDS_REAUTH, AccountState.DISCONNECTED})


@dataclass(kw_only=True)
class UpsertPlan:
    """What an import would do."""

    added: list[AccountWrite] = field(default_factory=list)  # those that were removed and come back included
    changed: list[AccountWrite] = field(default_factory=list)  # those that are to be written
    unchanged: int = 0
    returned: set[UUID] = field(default_factory=set)  # of `added`: their rows are there
    revived: list[UUID] = field(default_factory=list)  # may act for their owners again
    rerouted: list[UUID] = field(default_factory=list)  # take another way out
    ids: list[UUID] = field(default_factory=list)  # of all rows, in their order

    @property
    def updated(self) -> list[UUID]:
        """The accounts that were there, and are not as they were."""
        revived = [account_id for account_id in self.revived if account_id not in self.returned]
        return list(dict.fromkeys([*(account.id for account in self.changed), *revived]))

    @property
    def touched(self) -> list[UUID]:
        """The accounts that are not as they were, the new ones included."""
        return [*(account.id for account in self.added), *self.updated]


async def plan_upsert(tx: Connection, rows: Sequence[AccountRow], *, user_id: UUID, cipher: TokenCipher) -> UpsertPlan:
    """Compare rows with what is there. What is there stays locked until the transaction ends.

    Raises:
        RowsRefusedError: a new account comes without a token, or a row names a proxy or a protocol that is not there.
    """
    known = await store.lock_known(tx, [row.instagram_user_id for row in rows], user_id=user_id)
    faults = await _find_faults(tx, rows, known, user_id=user_id)
    if faults:
        raise RowsRefusedError(faults)
    # Ten thousand tokens to decrypt and encrypt are work for a thread.
    return await asyncio.to_thread(_compare, rows, known, user_id, cipher)


async def _find_faults(
    tx: Connection, rows: Sequence[AccountRow], known: Mapping[str, KnownAccount], *, user_id: UUID
) -> list[RowFault]:
    proxies = await store.lock_proxies(tx, {row.proxy_id for row in rows if row.proxy_id}, user_id=user_id)
    protocols = await store.find_protocols(tx, {row.protocol_id for row in rows if row.protocol_id})
    faults: list[RowFault] = []
    for row in rows:
        if row.access_token is None and _is_new(known.get(row.instagram_user_id)):
            faults.append(_fault(row, "access_token", "missing_field", "A new account needs an access token."))
        if row.proxy_id is not None and row.proxy_id not in proxies:
            faults.append(_fault(row, "proxy_id", "not_found", "There is no such proxy."))
        if row.protocol_id is not None and row.protocol_id not in protocols:
            faults.append(_fault(row, "protocol_id", "not_found", "There is no such warm-up protocol."))
    return faults


def _compare(
    rows: Sequence[AccountRow], known: Mapping[str, KnownAccount], user_id: UUID, cipher: TokenCipher
) -> UpsertPlan:
    plan = UpsertPlan()
    for row in rows:
        old = known.get(row.instagram_user_id)
        account_id = uuid7() if old is None else old.id
        plan.ids.append(account_id)
        if old is None or old.removed:
            plan.added.append(_added(row, account_id, user_id, cipher))
            if old is not None:
                plan.returned.add(old.id)
        elif (new := _changed(row, old, user_id, cipher)) is not None:
            plan.changed.append(new)
            if new.proxy_id != old.proxy_id:
                plan.rerouted.append(old.id)
        elif not _revives(row, old):
            plan.unchanged += 1
        if old is not None and _revives(row, old):
            plan.revived.append(old.id)
    return plan


def _added(row: AccountRow, account_id: UUID, user_id: UUID, cipher: TokenCipher) -> AccountWrite:
    return AccountWrite(
        id=account_id,
        instagram_user_id=row.instagram_user_id,
        username=row.username,
        tags=row.tags or (),
        token_expires_at=row.token_expires_at,
        proxy_id=row.proxy_id,
        protocol_id=row.protocol_id,
        token=_seal(row, account_id, user_id, cipher),
    )


def _changed(row: AccountRow, old: KnownAccount, user_id: UUID, cipher: TokenCipher) -> AccountWrite | None:
    token = None if _same_token(row, old, user_id, cipher) else _seal(row, old.id, user_id, cipher)
    new = AccountWrite(
        id=old.id,
        instagram_user_id=row.instagram_user_id,
        username=row.username,
        tags=old.tags if row.tags is None else row.tags,
        # Another token has another life: its predecessor's end says nothing about it.
        token_expires_at=row.token_expires_at or (old.token_expires_at if token is None else None),
        proxy_id=row.proxy_id or old.proxy_id,
        protocol_id=row.protocol_id or old.protocol_id,
        token=token,
    )
    return None if token is None and new.settings == old.settings else new


def _is_new(old: KnownAccount | None) -> bool:
    return old is None or old.removed


def _revives(row: AccountRow, old: KnownAccount) -> bool:
    # The token that is there already counts too: what stood in its way may have been lifted at the platform.
    return row.access_token is not None and old.state in _REVIVED


def _same_token(row: AccountRow, old: KnownAccount, user_id: UUID, cipher: TokenCipher) -> bool:
    if row.access_token is None:
        return True  # nothing said never takes a token away
    if old.sealed is None:
        return False
    try:
        kept = cipher.decrypt(old.sealed, user_id=user_id, row_id=old.id, column=TOKEN_COLUMN)
    except TokenUnreadableError:
        return False
    return kept == row.access_token


def _seal(row: AccountRow, account_id: UUID, user_id: UUID, cipher: TokenCipher) -> SealedToken | None:
    if row.access_token is None:
        return None
    return cipher.encrypt(row.access_token, user_id=user_id, row_id=account_id, column=TOKEN_COLUMN)


def _fault(row: AccountRow, field_: str, code: str, message: str) -> RowFault:
    return RowFault(code=code, message=message, line=row.line, field=field_)
