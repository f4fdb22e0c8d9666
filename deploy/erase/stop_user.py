"""Stopping all that a user has going, so that nothing is added while it is erased."""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import UUID

from shared.database import Connection, Pool, run_in_transaction
from shared.errors import NotReadyError
from shared.publications import Halt, stop_publications

_LOOK_EVERY_S = 0.2

_REVOKE_KEYS = "UPDATE api_keys SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL"
_STOP_WEBHOOKS = "UPDATE webhooks SET state = 'disabled', state_reason = 'erased' WHERE user_id = $1"
_STOP_SCHEDULES = "UPDATE schedules SET removed_at = coalesce(removed_at, now()), next_at = NULL WHERE user_id = $1"
# A half done import finds nothing to do.
_STOP_IMPORTS = "DELETE FROM operations WHERE user_id = $1"
_ACCOUNTS = "SELECT id FROM accounts WHERE user_id = $1 ORDER BY id"
# A claim that comes later finds the account removed.
_CLOSE_ACCOUNT = """
    UPDATE accounts SET removed_at = coalesce(removed_at, now()) WHERE user_id = $1 AND id = $2
"""
_UNDER_WAY = """
    SELECT count(*) FROM publications WHERE user_id = $1 AND state = 'publishing' AND lease_until >= now()
"""


async def stop_user(pool: Pool, user_id: UUID) -> None:
    """Take back the user's keys, and cancel whatever waits. What a worker has is not published unless it was sent."""
    await run_in_transaction(pool, partial(_close, user_id=user_id), idempotent=True)
    for row in await pool.fetch(_ACCOUNTS, user_id):
        await run_in_transaction(pool, partial(_close_account, user_id=user_id, account_id=row["id"]), idempotent=True)


async def wait_for_workers(pool: Pool, user_id: UUID, *, deadline_s: float) -> None:
    """Wait until no worker is at a publication of the user.

    Raises:
        NotReadyError: one still is after `deadline_s` seconds. Everything is stopped; call again later.
    """
    try:
        async with asyncio.timeout(deadline_s):
            while await pool.fetchval(_UNDER_WAY, user_id):  # noqa: ASYNC110 - other processes are waited for
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError as error:
        raise NotReadyError(
            "Everything of the user is stopped, but workers are still at some publications. Give the command again in "
            "a minute: it goes on from here."
        ) from error


async def _close(tx: Connection, *, user_id: UUID) -> None:
    for statement in (_REVOKE_KEYS, _STOP_WEBHOOKS, _STOP_SCHEDULES, _STOP_IMPORTS):
        await tx.execute(statement, user_id)


async def _close_account(tx: Connection, *, user_id: UUID, account_id: UUID) -> None:
    await tx.execute(_CLOSE_ACCOUNT, user_id, account_id)
    await stop_publications(tx, Halt.CANCEL, user_id=user_id, account_id=account_id)
