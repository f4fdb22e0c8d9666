"""The rows of a renewal: who may ask for an account's next token, and what is written of the answer.

The platform is asked outside of any transaction; meanwhile `refreshing_until` keeps other workers away. Whoever writes
a token locks the account before, so that none is lost to another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.accounts import (
    ACCOUNT_COLUMNS,
    ACCOUNT_JOINS,
    PUBLISHABLE,
    TOKEN_COLUMN,
    AccountState,
    Owner,
    plan_checks,
    transition_account,
)
from shared.database import Connection, Row
from shared.instagram import TokenGrant
from shared.jobs import RefreshToken
from shared.outbox import Event, record_events
from shared.security import SealedToken, TokenCipher, TokenUnreadableError

#: The tokens of paused and restricted accounts must not die meanwhile.
RENEWABLE = PUBLISHABLE | {AccountState.PAUSED, AccountState.RESTRICTED}
# Longer than the engine lets a job run.
_LEASE_S = 660.0
# What a column of times can hold, whatever the platform says.
_LONGEST_LIFE_S = 10 * 365 * 86_400

_STORED = f"""
    SELECT {ACCOUNT_COLUMNS}, accounts.state, coalesce(accounts.token_expires_at <= now(), false) AS expired,
           account_tokens.obtained_at > now() - interval '24 hours' AS young,
           coalesce(extract(epoch FROM account_tokens.refreshing_until - now())::float8, 0) AS held_for_s
    FROM accounts
    {ACCOUNT_JOINS}
    WHERE accounts.user_id = $1 AND accounts.id = $2
"""  # noqa: S608 - built of constants alone
_HOLD = """
    UPDATE account_tokens SET refreshing_until = now() + $3::float8 * interval '1 second'
    WHERE user_id = $1 AND account_id = $2
    RETURNING refreshing_until
"""
_LET_GO = """
    UPDATE account_tokens
    SET refreshing_until = NULL, refresh_failures = least(refresh_failures + CASE WHEN $4 THEN 1 ELSE 0 END, 1000)
    WHERE user_id = $1 AND account_id = $2 AND refreshing_until = $3
"""
_LOCK_ACCOUNT = "SELECT id FROM accounts WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE"
_LOCK_TOKEN = "SELECT key_id, sealed FROM account_tokens WHERE user_id = $1 AND account_id = $2 FOR NO KEY UPDATE"  # noqa: S105
_RENEW = """
    UPDATE account_tokens
    SET key_id = $3, sealed = $4, scopes = coalesce($5::text[], scopes), obtained_at = now(), refreshing_until = NULL,
        refresh_failures = 0,
        refresh_at = token_refresh_at(account_id, now(), now() + $6::float8 * interval '1 second'), updated_at = now()
    WHERE user_id = $1 AND account_id = $2
"""
_SET_EXPIRY = """
    UPDATE accounts SET token_expires_at = now() + $3::float8 * interval '1 second', updated_at = now()
    WHERE user_id = $1 AND id = $2
    RETURNING token_expires_at
"""
# A token of no use is not asked for again soon: it may be that of an account whose state stays as it is.
_GIVE_UP = """
    UPDATE account_tokens SET refreshing_until = NULL, refresh_at = now() + interval '24 hours'
    WHERE user_id = $1 AND account_id = $2
"""
# While one class of error hits many accounts at once, it is no account's.
_PUT_OFF = """
    UPDATE account_tokens SET refreshing_until = NULL, refresh_at = now() + interval '1 hour'
    WHERE user_id = $1 AND account_id = $2
      AND EXISTS (SELECT FROM incidents WHERE error_class = 'reauth' AND closed_at IS NULL)
    RETURNING true
"""


@dataclass(frozen=True, kw_only=True)
class HeldToken:
    """A token that this worker alone may renew."""

    row: Row = field(repr=False)  # for `open_account`
    until: datetime


@dataclass(frozen=True, kw_only=True)
class NotHeld:
    """A token that is not to be renewed now."""

    busy_for_s: float = 0.0  # another worker is at it, so long at most
    lost: bool = False  # it has expired: the account needs another


async def hold_token(tx: Connection, payload: RefreshToken) -> HeldToken | NotHeld:
    """Take a token to renew it, unless its account does without, it is younger than a day, or another worker is at it.

    One that has expired cannot be renewed: its account goes to NEEDS_REAUTH.
    """
    # Two statements: one that has waited for its lock still sees the token as it was before.
    await tx.execute(_LOCK_ACCOUNT, payload.user_id, payload.account_id)
    row = await tx.fetchrow(_STORED, payload.user_id, payload.account_id)
    if row is None or row["state"] not in RENEWABLE:
        return NotHeld()
    if row["expired"]:
        await _need_another(tx, payload, reason="token_expired")
        return NotHeld(lost=True)
    if row["young"]:
        return NotHeld()
    if row["held_for_s"] > 0:
        return NotHeld(busy_for_s=row["held_for_s"])
    until = await tx.fetchval(_HOLD, payload.user_id, payload.account_id, _LEASE_S)
    return HeldToken(row=row, until=until)


async def let_go(tx: Connection, payload: RefreshToken, held: HeldToken, *, failed: bool) -> None:
    """Let others renew it. `failed`: the platform was asked and gave none, which is counted."""
    await tx.execute(_LET_GO, payload.user_id, payload.account_id, held.until, failed)


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """What the platform made of a token."""

    payload: RefreshToken
    cipher: TokenCipher
    token: str = field(repr=False)  # the one that the platform was asked with

    async def write_grant(self, tx: Connection, grant: TokenGrant) -> bool:
        """Store the next token, with its event; False if the account has got another one meanwhile."""
        if not await self._still_stored(tx):
            return False
        user_id, account_id = self._row
        sealed = self.cipher.encrypt(grant.access_token, user_id=user_id, row_id=account_id, column=TOKEN_COLUMN)
        scopes = None if grant.scopes is None else sorted(grant.scopes)
        life_s = None if grant.expires_in_s is None else min(grant.expires_in_s, _LONGEST_LIFE_S)
        await tx.execute(_RENEW, user_id, account_id, sealed.key_id, sealed.ciphertext, scopes, life_s)
        expires_at = await tx.fetchval(_SET_EXPIRY, user_id, account_id, life_s)
        told: dict[str, Any] = {"token_expires_at": expires_at.isoformat() if expires_at else None}
        await record_events(
            tx, [Event(user_id=user_id, type="account.token_refreshed", subject=account_id, payload=told)]
        )
        return True

    async def write_refusal(self, tx: Connection) -> bool:
        """The platform takes the token no more.

        False if the account has got another one meanwhile, or if so many are refused at once that it is no account's
        trouble: then it is asked again in an hour.
        """
        if not await self._still_stored(tx) or await tx.fetchval(_PUT_OFF, *self._row):
            return False
        await _need_another(tx, self.payload, reason="reauth_required")
        return True

    @property
    def _row(self) -> tuple[UUID, UUID]:
        return self.payload.user_id, self.payload.account_id

    async def _still_stored(self, tx: Connection) -> bool:
        """Whether the token is the account's, under whichever key, until the transaction ends."""
        user_id, account_id = self._row
        await tx.fetchval(_LOCK_ACCOUNT, user_id, account_id)
        row = await tx.fetchrow(_LOCK_TOKEN, user_id, account_id)
        if row is None:
            return False
        sealed = SealedToken(key_id=row["key_id"], ciphertext=row["sealed"])
        try:
            stored = self.cipher.decrypt(sealed, user_id=user_id, row_id=account_id, column=TOKEN_COLUMN)
        except TokenUnreadableError:
            return False
        return stored == self.token


async def _need_another(tx: Connection, payload: RefreshToken, *, reason: str) -> None:
    await tx.execute(_GIVE_UP, payload.user_id, payload.account_id)
    await plan_checks(tx, [payload.account_id], user_id=payload.user_id)
    await transition_account(
        tx,
        payload.account_id,
        user_id=payload.user_id,
        target=AccountState.NEEDS_REAUTH,
        owner=Owner.HEALTH,
        reason=reason,
    )
