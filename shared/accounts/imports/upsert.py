"""Doing what an import planned: accounts, their tokens and their checks, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec

from shared.accounts.imports import store
from shared.accounts.imports.plan_upsert import UpsertPlan
from shared.accounts.plan_checks import plan_checks
from shared.accounts.states import AccountState, Owner
from shared.accounts.transition import transition_accounts
from shared.database import Connection
from shared.outbox import Event, record_events

T = TypeVar("T")
# Each statement stays far from its deadline, and who watches sees it go on.
_BATCH = 1_000


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did."""

    created: int
    updated: int
    unchanged: int

    @classmethod
    def of(cls, plan: UpsertPlan) -> Imported:
        """What a plan does."""
        return cls(created=len(plan.added), updated=len(plan.updated), unchanged=plan.unchanged)


class Release(Protocol):
    """Puts back on its way what was held for these accounts; `shared.publications.release_accounts` is one."""

    def __call__(self, tx: Connection, *, user_id: UUID, account_ids: Sequence[UUID]) -> Awaitable[Any]:
        """Do so in this transaction."""


async def _untold(_done: int) -> None:
    return None


async def apply_upsert(
    tx: Connection,
    plan: UpsertPlan,
    *,
    user_id: UUID,
    release: Release,
    progress: Callable[[int], Awaitable[None]] = _untold,
) -> None:
    """Do what was planned, in the same transaction.

    Args:
        tx: the transaction that planned it.
        plan: what to do.
        user_id: the tenant.
        release: called for the accounts that may publish again, or by another way.
        progress: told how many rows are done, after each batch.
    """
    done = plan.unchanged
    new = [account for account in plan.added if account.id not in plan.returned]
    known = [*plan.changed, *(account for account in plan.added if account.id in plan.returned)]
    for batch in _batches(new):
        await store.insert(tx, batch, user_id=user_id)
        await plan_checks(tx, [account.id for account in batch], user_id=user_id)
        done += len(batch)
        await progress(done)
    for batch in _batches(known):
        await store.update(tx, batch, user_id=user_id)
        # A new token is a new question; the checks of those that were removed went with them.
        await plan_checks(tx, [account.id for account in batch if account.token is not None], user_id=user_id)
        done += len(batch)
        await progress(done)
    await transition_accounts(
        tx, plan.revived, user_id=user_id, target=AccountState.ACTIVE, owner=Owner.API, reason=None
    )
    await release(tx, user_id=user_id, account_ids=[*plan.revived, *plan.rerouted])


async def apply_import(
    tx: Connection,
    plan: UpsertPlan,
    *,
    user_id: UUID,
    release: Release,
    operation_id: UUID | None = None,
    progress: Callable[[int], Awaitable[None]] = _untold,
) -> Imported:
    """As `apply_upsert`, for many: one event, `import.finished`, speaks for all accounts that it touched.

    Args:
        tx: the transaction that planned it.
        plan: what to do.
        user_id: the tenant.
        release: called for the accounts that may publish again, or by another way.
        operation_id: the operation that it is the work of, if it is one's.
        progress: told how many rows are done, after each batch.
    """
    await apply_upsert(tx, plan, user_id=user_id, release=release, progress=progress)
    imported = Imported.of(plan)
    payload = {"operation_id": operation_id and str(operation_id), **msgspec.structs.asdict(imported)}
    await record_events(tx, [Event(user_id=user_id, type="import.finished", subject=user_id, payload=payload)])
    return imported


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
