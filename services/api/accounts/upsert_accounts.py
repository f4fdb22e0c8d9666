"""Adding accounts and changing known ones, as the gateway does it: all of them or none, every fault told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from services.api.accounts.row_faults import import_problem
from shared.accounts import imports
from shared.accounts.imports import AccountRow, Release, RowsRefusedError, UpsertPlan
from shared.database import Connection
from shared.outbox import Event, record_events
from shared.publications import release_accounts
from shared.security import TokenCipher
from shared.settings import Settings


async def plan_upsert(tx: Connection, rows: Sequence[AccountRow], *, user_id: UUID, cipher: TokenCipher) -> UpsertPlan:
    """Compare rows with what is there. What is there stays locked until the transaction ends.

    Raises:
        ProblemError: a new account comes without a token, or a row names a proxy or a protocol that is not there.
    """
    try:
        return await imports.plan_upsert(tx, rows, user_id=user_id, cipher=cipher)
    except RowsRefusedError as error:
        raise import_problem(error.faults) from error


async def apply_upsert(tx: Connection, plan: UpsertPlan, *, user_id: UUID, settings: Settings) -> None:
    """Do what was planned, in the same transaction, and tell of each account."""
    await imports.apply_upsert(tx, plan, user_id=user_id, release=releasing(settings))
    events = [
        Event(user_id=user_id, type="account.changed", subject=account_id, payload={"account_id": str(account_id)})
        for account_id in plan.touched
    ]
    await record_events(tx, events)


def releasing(settings: Settings) -> Release:
    """How what was held for an account goes on."""
    return partial(release_accounts, rescue_after_s=settings.rescue_after_s)
