"""`import:accounts`: an import whose rows an operation keeps, done in one transaction that also ends the operation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import structlog

from services.scheduler.operations import Operation, fail, read_input, succeed, take, tell_progress
from shared.accounts.imports import AccountRow, RowFault, RowsRefusedError, apply_import, open_rows, plan_upsert
from shared.cache import CacheService
from shared.database import Connection, Pool
from shared.jobs import Again, Dead, ImportAccounts, Job
from shared.publications import release_accounts
from shared.security import SealedToken, TokenCipher, TokenUnreadableError

log = structlog.get_logger()

_FAILED = "import.failed"
# Another worker has it: the one whose connection to the broker was lost, and which may still end it.
_AT_WORK_MS = 5_000
# Each holds a connection of the pool for all of its time, and thousands of rows in memory; what waits costs nothing.
_AT_A_TIME = 2
_FAULTS_KEPT = 1_000


@dataclass(frozen=True, kw_only=True)
class Importer:
    """What an import works with."""

    pool: Pool
    cache: CacheService
    cipher: TokenCipher
    rescue_after_s: float
    _places: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, _AT_A_TIME))

    async def run(self, operation: Operation) -> bool:
        """Do the import, unless it has ended; False if it has to wait, for a place or for another worker."""
        if self._places.locked():
            return False
        async with self._places, self.pool.acquire() as connection, connection.transaction():
            if not await take(connection, operation):
                return False
            sealed = await read_input(connection, operation)
            if sealed is not None:
                await _do(self, connection, operation, sealed)
        return True


async def import_accounts(importer: Importer, _job: Job, payload: ImportAccounts) -> Again | None:
    """Do the import, unless it has ended. What the rows are refused for ends it too.

    Returns:
        `Again` if another worker is at it, or this process has enough to do.
    """
    operation = Operation(id=payload.operation_id, user_id=payload.user_id)
    try:
        if not await importer.run(operation):
            return Again(delay_ms=_AT_WORK_MS)
    except RowsRefusedError as error:
        await fail(importer.pool, operation, _refusal(error.faults), event=_FAILED)
    except TokenUnreadableError:
        detail = "The rows cannot be read any more: their encryption key has left TOKEN_KEYS. Send the import again."
        await fail(importer.pool, operation, {"code": "internal_error", "detail": detail}, event=_FAILED)
    else:
        await importer.cache.invalidate_user(operation.user_id)
    return None


async def end_parked_import(pool: Pool, _job: Job, payload: ImportAccounts, dead: Dead) -> None:
    """End the operation of an import that is given up."""
    operation = Operation(id=payload.operation_id, user_id=payload.user_id)
    detail = f"The import was given up ({dead.reason}); nothing was imported. Ask the operator why, then send it again."
    await fail(pool, operation, {"code": "internal_error", "detail": detail}, event=_FAILED)


async def _do(importer: Importer, tx: Connection, operation: Operation, sealed: SealedToken) -> None:
    user_id = operation.user_id
    await tell_progress(importer.pool, operation, 0)
    rows: list[AccountRow] = await asyncio.to_thread(
        open_rows, sealed, importer.cipher, user_id=user_id, operation_id=operation.id
    )
    plan = await plan_upsert(tx, rows, user_id=user_id, cipher=importer.cipher)
    imported = await apply_import(
        tx,
        plan,
        user_id=user_id,
        release=partial(release_accounts, rescue_after_s=importer.rescue_after_s),
        operation_id=operation.id,
        progress=partial(tell_progress, importer.pool, operation),
    )
    counts = msgspec.structs.asdict(imported)
    await succeed(tx, operation, {**counts, "accounts": plan.ids})
    log.info("import.finished", operation_id=str(operation.id), **counts)


def _refusal(faults: Sequence[RowFault]) -> dict[str, Any]:
    detail = f"{len(faults):,} row(s) fit no more when it was their turn; nothing was imported."
    return {"code": "validation_failed", "detail": detail, "errors": faults[:_FAULTS_KEPT]}
