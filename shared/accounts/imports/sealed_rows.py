"""Rows at rest: they hold access tokens, and wait encrypted for the worker that imports them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from shared.accounts.imports.rows import AccountRow
from shared.security import SealedToken, TokenCipher

_COLUMN = "operation_input"


def seal_rows(rows: Sequence[AccountRow], cipher: TokenCipher, *, user_id: UUID, operation_id: UUID) -> SealedToken:
    """The rows, readable only as the input of this operation. Work for a thread where they are many."""
    text = msgspec.json.encode(rows).decode()
    return cipher.encrypt(text, user_id=user_id, row_id=operation_id, column=_COLUMN)


def open_rows(sealed: SealedToken, cipher: TokenCipher, *, user_id: UUID, operation_id: UUID) -> list[AccountRow]:
    """The rows again. Work for a thread as well.

    Raises:
        TokenUnreadableError: the key ring does not open them. They must be sent anew.
    """
    text = cipher.decrypt(sealed, user_id=user_id, row_id=operation_id, column=_COLUMN)
    return msgspec.json.decode(text, type=list[AccountRow])
