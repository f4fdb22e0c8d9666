"""Changing an account: what is said is as an import would make it, and null takes something away."""

from __future__ import annotations

from uuid import UUID

import msgspec

from services.api.accounts import store
from services.api.accounts.check_row import checked_account
from services.api.accounts.contract import Account, AccountChange
from services.api.accounts.upsert_accounts import apply_upsert
from shared.accounts.imports import AccountRow, UpsertPlan
from shared.database import Connection
from shared.outbox import Event, record_events
from shared.publications import release_held
from shared.settings import Settings

_NULLABLE = ("proxy_id", "protocol_id")


def check_change(change: AccountChange, account: Account) -> AccountRow:
    """What a client wants, as a row of an import that leaves the rest as it is.

    Raises:
        ProblemError: with every fault.
    """
    said = {name: value for name, value in msgspec.to_builtins(change).items() if value is not None}
    return checked_account({"username": account.username, "instagram_user_id": account.instagram_user_id, **said})


async def apply_change(
    tx: Connection, plan: UpsertPlan, change: AccountChange, *, user_id: UUID, settings: Settings
) -> None:
    """Do it, in the same transaction. What another proxy or token lets go is on its way then."""
    [account_id] = plan.ids
    await apply_upsert(tx, plan, user_id=user_id, settings=settings)
    proxy, protocol = (getattr(change, name) is None for name in _NULLABLE)
    if not await store.detach(tx, account_id, user_id=user_id, proxy=proxy, protocol=protocol):
        return
    payload = {"account_id": str(account_id)}
    await record_events(tx, [Event(user_id=user_id, type="account.changed", subject=account_id, payload=payload)])
    if proxy:
        await release_held(tx, user_id=user_id, account_id=account_id, rescue_after_s=settings.rescue_after_s)
