"""Asking the platform whether an account's token works, and concluding what that proves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from uuid import UUID

from services.api.accounts import store
from services.api.accounts.platform_problems import platform_problem
from services.api.http import ProblemError, not_found
from shared.accounts import AccountState, Owner, open_account, transition_account
from shared.database import Connection, Row
from shared.instagram import (
    ErrorClass,
    GraphAccount,
    GraphClient,
    GraphError,
    InstagramError,
    PlatformGate,
    Profile,
    PublishingLimit,
)
from shared.outbox import Event, record_events
from shared.publications import release_held
from shared.security import TokenCipher, TokenUnreadableError

#: States from which a token that works leads back.
_REVIVED = frozenset({AccountState.NEEDS_REAUTH, AccountState.DISCONNECTED})
_OTHERS = "The token is of another Instagram account. Give this account a token of its own."


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the platform said."""

    sealed: bytes = field(repr=False)  # the token that it was asked with, as stored
    profile: Profile | None  # None: the token is refused, or of another account
    limit: PublishingLimit | None  # None: it did not say
    problem: str | None  # why there is no profile, for people


async def ask_platform(
    row: Row, *, graph: GraphClient, gate: PlatformGate, cipher: TokenCipher, user_id: UUID, account_id: UUID
) -> Finding:
    """Ask by the account's own token and way out. Two reads; nothing is written.

    Raises:
        ProblemError: the platform failed (`platform_error`), is not to be called now (`not_ready`), or the account
            cannot be opened (`state_conflict`). Nothing is concluded.
    """
    try:
        account = open_account(row, cipher, user_id=user_id, account_id=account_id)
    except (TokenUnreadableError, ValueError) as error:
        detail = f"The token, or its proxy, cannot be used: {error}."
        raise ProblemError("state_conflict", detail) from error
    wait = await gate.admit(account.ig_user_id)
    if wait is not None:
        detail = f"The platform is not to be called now ({wait.reason}). Try again later."
        raise ProblemError("not_ready", detail, headers={"Retry-After": str(math.ceil(wait.delay_s))})
    try:
        return await _ask(graph, account, row["sealed"])
    except InstagramError as error:
        raise platform_problem(error) from error
    finally:
        gate.leave(account.ig_user_id)


async def _ask(graph: GraphClient, account: GraphAccount, sealed: bytes) -> Finding:
    try:
        profile = await graph.profile(account)
    except GraphError as error:
        if error.error_class is not ErrorClass.REAUTH:
            raise
        problem = f"{error.rule.meaning}. {error.rule.advice}"
        return Finding(sealed=sealed, profile=None, limit=None, problem=problem)
    if profile.ig_user_id != account.ig_user_id:
        return Finding(sealed=sealed, profile=None, limit=None, problem=_OTHERS)
    return Finding(sealed=sealed, profile=profile, limit=await _limit(graph, account), problem=None)


async def _limit(graph: GraphClient, account: GraphAccount) -> PublishingLimit | None:
    try:
        return await graph.publishing_limit(account)
    except InstagramError:
        return None  # the token is good all the same


async def conclude(tx: Connection, finding: Finding, *, account_id: UUID, user_id: UUID, rescue_after_s: float) -> None:
    """Write what the platform's word proves: the user name, the quota, and whether the token works.

    Raises:
        ProblemError: the account is gone, or has got another token meanwhile, of which nothing was asked.
    """
    locked = await store.lock(tx, account_id, user_id=user_id)
    if locked is None:
        raise not_found("account")
    if await store.sealed_token(tx, account_id, user_id=user_id) != finding.sealed:
        raise ProblemError("state_conflict", "The account has got another token meanwhile. Verify it again.")
    if finding.profile is None:
        await transition_account(
            tx,
            account_id,
            user_id=user_id,
            target=AccountState.NEEDS_REAUTH,
            owner=Owner.API,
            reason="reauth_required",
        )
        return
    total = None if finding.limit is None else finding.limit.total
    if await store.note_profile(tx, account_id, user_id=user_id, username=finding.profile.username, quota_total=total):
        payload = {"account_id": str(account_id)}
        await record_events(tx, [Event(user_id=user_id, type="account.changed", subject=account_id, payload=payload)])
    if locked["state"] in _REVIVED:
        await transition_account(
            tx, account_id, user_id=user_id, target=AccountState.ACTIVE, owner=Owner.API, reason=None
        )
        await release_held(tx, user_id=user_id, account_id=account_id, rescue_after_s=rescue_after_s)
