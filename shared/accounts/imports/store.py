"""SQL of adding accounts and changing known ones, many at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.accounts.states import AccountState
from shared.database import Connection, Row, insert_many
from shared.security import SealedToken

# Accounts of one user are added by one transaction at a time, so that two imports never make the same one twice.
_LOCK_USER = "SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE"
_KNOWN = """
    SELECT accounts.id, accounts.instagram_user_id, accounts.username, accounts.state, accounts.tags,
           accounts.token_expires_at, accounts.proxy_id, accounts.protocol_id,
           accounts.removed_at IS NOT NULL AS removed, account_tokens.key_id, account_tokens.sealed
    FROM accounts
    LEFT JOIN account_tokens ON account_tokens.account_id = accounts.id AND account_tokens.user_id = accounts.user_id
    WHERE accounts.user_id = $1 AND accounts.instagram_user_id = ANY($2::text[])
    ORDER BY accounts.id
    FOR NO KEY UPDATE OF accounts
"""
_PROXIES = "SELECT id FROM proxies WHERE user_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR KEY SHARE"
_PROTOCOLS = "SELECT id FROM warmup_protocols WHERE id = ANY($1::text[])"
_NEW_COLUMNS = (
    "id",
    "user_id",
    "instagram_user_id",
    "username",
    "state",
    "tags",
    "token_expires_at",
    "proxy_id",
    "protocol_id",
)
# A tag holds no line break, so a list of lists can travel as a list of texts. Another protocol begins with its first
# day.
_UPDATE = """
    UPDATE accounts
    SET username = new.username, tags = string_to_array(new.tags, E'\\n'), token_expires_at = new.token_expires_at,
        proxy_id = new.proxy_id, protocol_id = new.protocol_id,
        warmup_day = CASE WHEN accounts.protocol_id IS DISTINCT FROM new.protocol_id THEN 0 ELSE warmup_day END,
        warmup_day_began_at = CASE WHEN accounts.protocol_id IS NOT DISTINCT FROM new.protocol_id
                                   THEN warmup_day_began_at END,
        removed_at = NULL, updated_at = now()
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[], $7::text[])
         AS new (id, username, tags, token_expires_at, proxy_id, protocol_id)
    WHERE accounts.user_id = $1 AND accounts.id = new.id
"""
_PUT_TOKENS = """
    INSERT INTO account_tokens (account_id, user_id, key_id, sealed, refresh_at)
    SELECT account_id, $1, key_id, sealed, token_refresh_at(account_id, now(), expires_at)
    FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::timestamptz[]) AS new (account_id, key_id, sealed, expires_at)
    ON CONFLICT (account_id) DO UPDATE
    SET key_id = excluded.key_id, sealed = excluded.sealed, obtained_at = now(), scopes = NULL,
        refresh_at = excluded.refresh_at, refreshing_until = NULL, refresh_failures = 0, updated_at = now()
    WHERE account_tokens.user_id = excluded.user_id
"""
# For tokens that stay, and whose end is another than was thought.
_PLAN_REFRESHES = """
    UPDATE account_tokens
    SET refresh_at = token_refresh_at(account_tokens.account_id, obtained_at, expires_at)
    FROM unnest($2::uuid[], $3::timestamptz[]) AS kept (account_id, expires_at)
    WHERE account_tokens.user_id = $1 AND account_tokens.account_id = kept.account_id
"""
_NEW = AccountState.NEW.value


@dataclass(frozen=True, kw_only=True)
class KnownAccount:
    """An account that is there already, as an import compares it."""

    id: UUID
    username: str
    state: str
    tags: tuple[str, ...]
    token_expires_at: datetime | None
    proxy_id: UUID | None
    protocol_id: str | None
    removed: bool
    sealed: SealedToken | None

    @property
    def settings(self) -> tuple[Any, ...]:
        """What an import may change, but for the token."""
        return self.username, self.tags, self.token_expires_at, self.proxy_id, self.protocol_id


@dataclass(frozen=True, kw_only=True)
class AccountWrite:
    """What an account's row shall hold."""

    id: UUID
    instagram_user_id: str
    username: str
    tags: tuple[str, ...]
    token_expires_at: datetime | None
    proxy_id: UUID | None
    protocol_id: str | None
    token: SealedToken | None  # None: it stays as it is

    @property
    def settings(self) -> tuple[Any, ...]:
        """The same as of a known account."""
        return self.username, self.tags, self.token_expires_at, self.proxy_id, self.protocol_id


async def lock_known(tx: Connection, instagram_user_ids: Sequence[str], *, user_id: UUID) -> dict[str, KnownAccount]:
    """Those accounts of the user that exist, by their id on the platform; locked, and no other is added meanwhile."""
    await tx.execute(_LOCK_USER, user_id)
    rows = await tx.fetch(_KNOWN, user_id, list(instagram_user_ids))
    return {row["instagram_user_id"]: _known(row) for row in rows}


async def lock_proxies(tx: Connection, proxy_ids: Collection[UUID], *, user_id: UUID) -> set[UUID]:
    """Those of these proxies that the user has; they stay until the transaction ends."""
    rows = await tx.fetch(_PROXIES, user_id, list(proxy_ids)) if proxy_ids else []
    return {row["id"] for row in rows}


async def find_protocols(tx: Connection, protocol_ids: Collection[str]) -> set[str]:
    """Those of these warm-up protocols that there are."""
    rows = await tx.fetch(_PROTOCOLS, list(protocol_ids)) if protocol_ids else []
    return {row["id"] for row in rows}


async def insert(tx: Connection, new: Sequence[AccountWrite], *, user_id: UUID) -> None:
    """Add accounts and their tokens."""
    rows = [
        (
            account.id,
            user_id,
            account.instagram_user_id,
            account.username,
            _NEW,
            account.tags,
            account.token_expires_at,
            account.proxy_id,
            account.protocol_id,
        )
        for account in new
    ]
    await insert_many(tx, "accounts", _NEW_COLUMNS, rows)
    await _put_tokens(tx, new, user_id=user_id)


async def update(tx: Connection, changed: Sequence[AccountWrite], *, user_id: UUID) -> None:
    """Change accounts, and the tokens of those that bring one; who was removed is there again."""
    await tx.execute(
        _UPDATE,
        user_id,
        [account.id for account in changed],
        [account.username for account in changed],
        ["\n".join(account.tags) for account in changed],
        [account.token_expires_at for account in changed],
        [account.proxy_id for account in changed],
        [account.protocol_id for account in changed],
    )
    await _put_tokens(tx, changed, user_id=user_id)
    kept = [account for account in changed if account.token is None]
    await tx.execute(
        _PLAN_REFRESHES, user_id, [account.id for account in kept], [account.token_expires_at for account in kept]
    )


async def _put_tokens(tx: Connection, accounts: Sequence[AccountWrite], *, user_id: UUID) -> None:
    tokens = [(account, account.token) for account in accounts if account.token is not None]
    await tx.execute(
        _PUT_TOKENS,
        user_id,
        [account.id for account, _ in tokens],
        [token.key_id for _, token in tokens],
        [token.ciphertext for _, token in tokens],
        [account.token_expires_at for account, _ in tokens],
    )


def _known(row: Row) -> KnownAccount:
    sealed = SealedToken(key_id=row["key_id"], ciphertext=row["sealed"]) if row["sealed"] is not None else None
    return KnownAccount(
        id=row["id"],
        username=row["username"],
        state=row["state"],
        tags=tuple(row["tags"]),
        token_expires_at=row["token_expires_at"],
        proxy_id=row["proxy_id"],
        protocol_id=row["protocol_id"],
        removed=row["removed"],
        sealed=sealed,
    )
