"""`token:refresh`: get the next long-lived token of an account, before this one ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import TypeVar

import structlog

from services.health.renewals import HeldToken, Renewal, hold_token, let_go
from services.health.surgery import Surgery
from shared.accounts import open_account
from shared.database import run_in_transaction
from shared.instagram import ErrorClass, GraphAccount, GraphError, InstagramError, TokenGrant, Wait
from shared.jobs import Again, Job, RefreshToken, Transient
from shared.security import TokenUnreadableError

log = structlog.get_logger()
T = TypeVar("T")


async def refresh_token(surgery: Surgery, _job: Job, payload: RefreshToken) -> Again | None:
    """Renew one account's token, unless it is too young, in work elsewhere, or of no use any more.

    Raises:
        Transient: the platform gave none, and did not say that the account must be connected again.
    """
    async with surgery.pool.acquire() as connection, connection.transaction():
        held = await hold_token(connection, payload)
    if isinstance(held, HeldToken):
        return await _renew(surgery, payload, held)
    if held.lost:
        log.warning("token.expired")
        await surgery.cache.invalidate_account(payload.account_id, user_id=payload.user_id)
    return Again(delay_ms=round(held.busy_for_s * 1000) + 1) if held.busy_for_s else None


async def _renew(surgery: Surgery, payload: RefreshToken, held: HeldToken) -> Again | None:
    try:
        account = open_account(held.row, surgery.cipher, user_id=payload.user_id, account_id=payload.account_id)
    except TokenUnreadableError as error:
        # The operator's key ring is at fault: the next sweep that finds the token due tries again.
        log.error("token.unreadable", error=str(error))
        return None
    grant = await _ask_if_admitted(surgery, payload, held, account)
    if isinstance(grant, Wait):
        return Again(delay_ms=round(grant.delay_s * 1000))
    # From here on the only copy of the new token is in this process.
    renewal = Renewal(payload=payload, cipher=surgery.cipher, token=account.access_token)
    if grant is None:
        written = await run_in_transaction(surgery.pool, renewal.write_refusal, idempotent=True)
    else:
        write = partial(renewal.write_grant, grant=grant)
        written = await _to_its_end(run_in_transaction(surgery.pool, write, idempotent=True))
    log.info("token.refreshed" if grant else "token.refused", written=written)
    await surgery.cache.invalidate_account(payload.account_id, user_id=payload.user_id)
    return None


async def _ask_if_admitted(
    surgery: Surgery, payload: RefreshToken, held: HeldToken, account: GraphAccount
) -> TokenGrant | Wait | None:
    """As `_ask`, unless calls for the account have to wait now."""
    wait = await surgery.gate.admit(account.ig_user_id)
    if wait is not None:
        async with surgery.pool.acquire() as connection:
            await let_go(connection, payload, held, failed=False)
        return wait
    try:
        return await _ask(surgery, payload, held, account)
    finally:
        surgery.gate.leave(account.ig_user_id)


async def _ask(surgery: Surgery, payload: RefreshToken, held: HeldToken, account: GraphAccount) -> TokenGrant | None:
    """The next token; None if the account must be connected again, which no other failure proves."""
    try:
        return await surgery.graph.refresh_token(account)
    except InstagramError as error:
        if isinstance(error, GraphError) and error.error_class is ErrorClass.REAUTH:
            return None
        async with surgery.pool.acquire() as connection:
            await let_go(connection, payload, held, failed=True)
        raise Transient(str(error)) from error


async def _to_its_end(work: Awaitable[T]) -> T:
    """Wait for work that a stop of this process must not cut off."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
