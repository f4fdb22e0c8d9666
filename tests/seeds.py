"""Rows that tests of publications need: a tenant with accounts, a picture and a post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.database import Connection, Pool
from shared.publications import Draft, create_publications
from shared.security import TokenCipher

CIPHER = TokenCipher({"test": b"k" * 32})


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """One user with what it owns."""

    user_id: UUID
    account_ids: list[UUID]
    post_id: UUID


async def seed_tenant(
    pool: Pool,
    *,
    instagram: Sequence[tuple[str, str]] = (("17841400000000001", "token-of-the-tests"),),
    caption: str = "A picture.",
    media_key: str | None = None,
) -> Tenant:
    """A user, one account per (id, token), a picture and a post."""
    user_id, post_id, media_id = uuid7(), uuid7(), uuid7()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("INSERT INTO users (id, email) VALUES ($1, $2)", user_id, f"{user_id}@example.com")
        account_ids = [await _seed_account(connection, user_id, *pair) for pair in instagram]
        await connection.execute(
            """
            INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, sha256)
            VALUES ($1, $2, $3, 'image', 'image/jpeg', 1000, 1080, 1080, '00')
            """,
            media_id,
            user_id,
            media_key or f"{media_id}.jpg",
        )
        await connection.execute(
            "INSERT INTO posts (id, user_id, type, caption, media_ids) VALUES ($1, $2, 'image', $3, $4)",
            post_id,
            user_id,
            caption,
            [media_id],
        )
    return Tenant(user_id=user_id, account_ids=account_ids, post_id=post_id)


async def _seed_account(connection: Connection, user_id: UUID, instagram_user_id: str, token: str) -> UUID:
    account_id = uuid7()
    await connection.execute(
        """
        INSERT INTO accounts (id, user_id, instagram_user_id, username, state, token_expires_at)
        VALUES ($1, $2, $3, $4, 'ACTIVE', now() + interval '50 days')
        """,
        account_id,
        user_id,
        instagram_user_id,
        f"user_{instagram_user_id[-4:]}",
    )
    sealed = CIPHER.encrypt(token, user_id=user_id, row_id=account_id, column="access_token")
    await connection.execute(
        "INSERT INTO account_tokens (account_id, user_id, key_id, sealed) VALUES ($1, $2, $3, $4)",
        account_id,
        user_id,
        sealed.key_id,
        sealed.ciphertext,
    )
    return account_id


async def seed_publications(
    pool: Pool,
    tenant: Tenant,
    *,
    due_in_s: float = 0.0,
    max_lateness_s: int | None = None,
    rescue_after_s: float = 60.0,
) -> list[UUID]:
    """One publication of the tenant's post per account."""
    publish_at = datetime.now(UTC) + timedelta(seconds=due_in_s)
    async with pool.acquire() as connection, connection.transaction():
        return await create_publications(
            connection,
            [Draft(account_id=account_id, publish_at=publish_at) for account_id in tenant.account_ids],
            user_id=tenant.user_id,
            post_id=tenant.post_id,
            distribution_id=None,
            planned=True,
            max_lateness_s=max_lateness_s,
            rescue_after_s=rescue_after_s,
        )
