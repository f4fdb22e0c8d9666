"""Secrets at rest (access tokens, credentials of proxies): AES-256-GCM, each bound to the row and column it is of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.security.errors import TokenUnreadableError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_STORE_AGAIN = "store the secret anew: connect the account again, or enter the proxy's credentials again"


@dataclass(frozen=True, kw_only=True)
class SealedToken:
    """A token as it is stored."""

    key_id: str  # which key of the ring encrypted it
    ciphertext: bytes  # nonce, then the encrypted token with its tag


class TokenCipher:
    """Encrypts with the first key of a ring, decrypts with whichever key a token names."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Take the ring.

        Args:
            keys: key id to 32 bytes, the one that encrypts first. Keep a key as long as tokens name it.

        Raises:
            ValueError: the ring is empty or a key has not 32 bytes.
        """
        if not keys or any(len(key) != _KEY_BYTES for key in keys.values()):
            raise ValueError(f"A key ring needs at least one key, and each {_KEY_BYTES} bytes.")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.current_key_id = next(iter(self._ciphers))

    def encrypt(self, token: str, *, user_id: UUID, row_id: UUID, column: str) -> SealedToken:
        """The token, readable only as this column of this row (an account, a proxy) of this user."""
        nonce = os.urandom(_NONCE_BYTES)
        row = _associated_data(user_id, row_id, column, self.current_key_id)
        sealed = nonce + self._ciphers[self.current_key_id].encrypt(nonce, token.encode(), row)
        return SealedToken(key_id=self.current_key_id, ciphertext=sealed)

    def decrypt(self, sealed: SealedToken, *, user_id: UUID, row_id: UUID, column: str) -> str:
        """The token of this row.

        Raises:
            TokenUnreadableError: its key is not in the ring, or it was changed or moved from another row. The text says
                what to do; treat the account as one that must be connected again.
        """
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise TokenUnreadableError(
                f"The {column} of {row_id} was encrypted with the key {sealed.key_id!r}, which TOKEN_KEYS does not "
                f"hold. Put that key back behind the first one, or {_STORE_AGAIN}."
            )
        if len(sealed.ciphertext) < _NONCE_BYTES + _TAG_BYTES:
            raise _unreadable(sealed, row_id, column)
        nonce, encrypted = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, encrypted, _associated_data(user_id, row_id, column, sealed.key_id)).decode()
        except InvalidTag:
            raise _unreadable(sealed, row_id, column) from None


def _associated_data(user_id: UUID, row_id: UUID, column: str, key_id: str) -> bytes:
    # Only the last part may hold a bar, so the parts cannot run into each other.
    if "|" in column:
        raise ValueError("A column's name holds no bar.")
    return f"{user_id}|{row_id}|{column}|{key_id}".encode()


def _unreadable(sealed: SealedToken, row_id: UUID, column: str) -> TokenUnreadableError:
    return TokenUnreadableError(
        f"The {column} of {row_id} cannot be decrypted: it was changed, it belongs to another row, or TOKEN_KEYS holds "
        f"another key under the name {sealed.key_id!r}. Restore row or key, or {_STORE_AGAIN}."
    )
