"""Adding accounts and changing known ones: all of them or none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.accounts import store
from services.api.accounts.check_row import AccountRow, row_fault
from services.api.accounts.read_file import import_problem
from services.api.accounts.store import AccountWrite, KnownAccount
from services.api.http import Fault
from shared.accounts import TOKEN_COLUMN, AccountState, Owner, transition_account
from shared.database import Connection
from shared.outbox import Event, record_events
from shared.publications import release_held
from shared.security import SealedToken, TokenCipher, TokenUnreadableError
from shared.settings import Settings

#: States from which a token leads back.
_REVIVED = frozenset({AccountState.NEEDS_REAUTH, AccountState.DISCONNECTED})


@dataclass(kw_only=True)
class UpsertPlan:
    """What an import would do."""

    added: list[AccountWrite] = field(default_factory=list)
    changed: list[AccountWrite] = field(default_factory=list)
    unchanged: int = 0
    revived: list[UUID] = field(default_factory=list)  # may act for their owners again
    ids: list[UUID] = field(default_factory=list)  # of all rows, in their order

    @property
    def touched(self) -> list[UUID]:
        """The accounts that are not as they were."""
        return [account.id for account in (*self.added, *self.changed)]


async def plan_upsert(tx: Connection, rows: Sequence[AccountRow], *, user_id: UUID, cipher: TokenCipher) -> UpsertPlan:
    """Compare rows with what is there. What is there stays locked until the transaction ends.

    Raises:
        ProblemError: a new account comes without a token.
    """
    known = await store.lock_known(tx, [row.instagram_user_id for row in rows], user_id=user_id)
    faults = [_token_missing(row) for row in rows if row.access_token is None and row.instagram_user_id not in known]
    if faults:
        raise import_problem(faults)
    # Ten thousand tokens to decrypt and encrypt are work for a thread.
    return await asyncio.to_thread(_compare, rows, known, user_id, cipher)


async def apply_upsert(tx: Connection, plan: UpsertPlan, *, user_id: UUID, settings: Settings) -> None:
    """Do what was planned, in the same transaction, and tell of it."""
    await store.insert(tx, plan.added, user_id=user_id, check_every_s=settings.health_check_every_s)
    await store.update(tx, plan.changed, user_id=user_id)
    events = [
        Event(user_id=user_id, type="account.changed", subject=account_id, payload={"account_id": str(account_id)})
        for account_id in plan.touched
    ]
    await record_events(tx, events)
    for account_id in plan.revived:
        moved = await transition_account(
            tx, account_id, user_id=user_id, target=AccountState.ACTIVE, owner=Owner.API, reason=None
        )
        if moved:
            await release_held(tx, user_id=user_id, account_id=account_id, rescue_after_s=settings.rescue_after_s)


def _compare(
    rows: Sequence[AccountRow], known: Mapping[str, KnownAccount], user_id: UUID, cipher: TokenCipher
) -> UpsertPlan:
    plan = UpsertPlan()
    for row in rows:
        old = known.get(row.instagram_user_id)
        account_id = uuid7() if old is None else old.id
        plan.ids.append(account_id)
        if old is None:
            plan.added.append(_added(row, account_id, user_id, cipher))
            continue
        new = _changed(row, old, user_id, cipher)
        if new is None:
            plan.unchanged += 1
            continue
        plan.changed.append(new)
        if _revives(row, old):
            plan.revived.append(old.id)
    return plan


def _added(row: AccountRow, account_id: UUID, user_id: UUID, cipher: TokenCipher) -> AccountWrite:
    return AccountWrite(
        id=account_id,
        instagram_user_id=row.instagram_user_id,
        username=row.username,
        tags=row.tags or (),
        token_expires_at=row.token_expires_at,
        token=_seal(row, account_id, user_id, cipher),
    )


def _changed(row: AccountRow, old: KnownAccount, user_id: UUID, cipher: TokenCipher) -> AccountWrite | None:
    token = None if _same_token(row, old, user_id, cipher) else _seal(row, old.id, user_id, cipher)
    # Another token has another life: its predecessor's end says nothing about it.
    expires_at = row.token_expires_at or (old.token_expires_at if token is None else None)
    tags = old.tags if row.tags is None else row.tags
    same = token is None and (row.username, tags, expires_at) == (old.username, old.tags, old.token_expires_at)
    if same and not _revives(row, old):
        return None
    return AccountWrite(
        id=old.id,
        instagram_user_id=row.instagram_user_id,
        username=row.username,
        tags=tags,
        token_expires_at=expires_at,
        token=token,
    )


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


def _token_missing(row: AccountRow) -> Fault:
    return row_fault("access_token", "missing_field", "A new account needs an access token.", line=row.line)
