"""What can be done with an account."""

from __future__ import annotations

from uuid import UUID

from services.api.accounts import store
from services.api.accounts.contract import Account, Verified
from services.api.accounts.find_account import find_account
from services.api.accounts.pause_account import pause_account
from services.api.accounts.resume_account import resume_account
from services.api.accounts.verify_account import Finding, ask_platform, conclude
from services.api.call import Call
from services.api.http import Answer, NoQuery, answer, not_found
from shared.database import Connection


async def pause(call: Call[NoQuery, None]) -> Answer[Account]:
    """Pause one account: what comes due for it is held."""
    account_id = _own(call)
    async with call.begin() as tx:
        moved = await pause_account(tx, account_id, user_id=call.user_id)
        answered = await _moved(call, tx, account_id, "account.paused" if moved else None)
    await call.deps.cache.invalidate_account(account_id, user_id=call.user_id)
    return answered


async def resume(call: Call[NoQuery, None]) -> Answer[Account]:
    """Let one account publish again, and what was held for it go on."""
    deps, account_id = call.deps, _own(call)
    async with call.begin() as tx:
        moved = await resume_account(tx, account_id, user_id=call.user_id, rescue_after_s=deps.settings.rescue_after_s)
        answered = await _moved(call, tx, account_id, "account.resumed" if moved else None)
    await deps.cache.invalidate_account(account_id, user_id=call.user_id)
    return answered


async def verify(call: Call[NoQuery, None]) -> Answer[Verified]:
    """Ask the platform whether an account's token works, and act on what it says."""
    deps, platform, account_id = call.deps, call.deps.platform, _own(call)
    async with call.connect() as connection:
        row = await store.find_access(connection, account_id, user_id=call.user_id)
    if row is None:
        raise not_found("account")
    await call.reserve()
    finding = await ask_platform(
        row,
        graph=platform.graph,
        gate=platform.gate,
        cipher=deps.cipher,
        user_id=call.user_id,
        account_id=account_id,
    )
    async with call.begin() as tx:
        await conclude(
            tx, finding, account_id=account_id, user_id=call.user_id, rescue_after_s=deps.settings.rescue_after_s
        )
        verified = _verified(await find_account(tx, account_id, user_id=call.user_id), finding)
        await call.audit(tx, "account.verified", ("account", account_id), after=verified)
        answered = await call.keep(tx, answer(verified))
    await deps.cache.invalidate_account(account_id, user_id=call.user_id)
    return answered


def _own(call: Call[NoQuery, None]) -> UUID:
    account_id = call.id("account")
    call.caller.require_seen(account_id)
    return account_id


async def _moved(call: Call[NoQuery, None], tx: Connection, account_id: UUID, action: str | None) -> Answer[Account]:
    account = await find_account(tx, account_id, user_id=call.user_id)
    if action is not None:
        await call.audit(tx, action, ("account", account_id), after=account)
    return await call.keep(tx, answer(account))


def _verified(account: Account, finding: Finding) -> Verified:
    profile, limit = finding.profile, finding.limit
    return Verified(
        account=account,
        token_valid=profile is not None,
        problem=finding.problem,
        account_type=None if profile is None else profile.account_type,
        quota_used=None if limit is None else limit.used,
        quota_total=None if limit is None else limit.total,
    )
