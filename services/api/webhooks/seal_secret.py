"""Signing secrets on their way into the table."""

from __future__ import annotations

from uuid import UUID

from services.api.webhooks import store
from shared.database import Connection
from shared.security import SealedToken, TokenCipher, TokenUnreadableError, new_webhook_secret
from shared.webhooks import PREVIOUS_SECRET_COLUMN, SECRET_COLUMN


def seal_new_secret(cipher: TokenCipher, webhook_id: UUID, *, user_id: UUID) -> tuple[str, SealedToken]:
    """A new secret, to be shown once, and as it is stored."""
    secret = new_webhook_secret()
    return secret, cipher.encrypt(secret, user_id=user_id, row_id=webhook_id, column=SECRET_COLUMN)


async def renew_secret(tx: Connection, cipher: TokenCipher, webhook_id: UUID, *, user_id: UUID) -> str:
    """Give a webhook, whose row is locked, a new secret; the one before stays beside it for a day."""
    secret, sealed = seal_new_secret(cipher, webhook_id, user_id=user_id)
    before = await _move_aside(tx, cipher, webhook_id, user_id=user_id)
    await store.rotate(tx, webhook_id, user_id=user_id, before=before, now=sealed)
    return secret


async def _move_aside(tx: Connection, cipher: TokenCipher, webhook_id: UUID, *, user_id: UUID) -> SealedToken | None:
    """The secret until now, sealed for its new place; None if it cannot be read, and so signs nothing any more."""
    stored = await store.read_secret(tx, webhook_id, user_id=user_id)
    if stored is None:
        return None
    try:
        secret = cipher.decrypt(stored, user_id=user_id, row_id=webhook_id, column=SECRET_COLUMN)
    except TokenUnreadableError:
        return None
    return cipher.encrypt(secret, user_id=user_id, row_id=webhook_id, column=PREVIOUS_SECRET_COLUMN)
