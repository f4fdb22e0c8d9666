"""Beginning an import that a worker does: its rows are kept encrypted, and the job that does it is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.operations import store
from shared.accounts.imports import AccountRow, seal_rows
from shared.database import Connection
from shared.jobs import ImportAccounts, JobType, new_job, to_outbox
from shared.outbox import append
from shared.security import TokenCipher


async def begin_import(tx: Connection, rows: Sequence[AccountRow], *, user_id: UUID, cipher: TokenCipher) -> UUID:
    """Make the operation and its job.

    Returns:
        The operation's id.
    """
    operation_id = uuid7()
    sealed = await asyncio.to_thread(seal_rows, rows, cipher, user_id=user_id, operation_id=operation_id)
    await store.insert(tx, operation_id, type_=JobType.IMPORT_ACCOUNTS, total=len(rows), sealed=sealed, user_id=user_id)
    payload = ImportAccounts(user_id=user_id, operation_id=operation_id)
    await append(tx, [to_outbox(new_job(JobType.IMPORT_ACCOUNTS, payload, subject=str(operation_id)))])
    return operation_id
