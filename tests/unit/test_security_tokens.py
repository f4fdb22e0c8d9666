from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.security import TokenCipher, TokenUnreadableError

OLD, NEW = {"2025": bytes(range(32))}, {"2026": bytes(range(32, 64))}
ROW: dict[str, Any] = {"user_id": UUID(int=1), "row_id": UUID(int=2), "column": "access_token"}
TOKEN = "made-up-token-é"


def test_a_token_comes_back_to_its_row():
    """What was encrypted for a row is read as that row, and nothing of it shows."""
    cipher = TokenCipher(NEW)

    sealed = cipher.encrypt(TOKEN, **ROW)

    assert cipher.decrypt(sealed, **ROW) == TOKEN
    assert sealed.key_id == "2026"
    assert TOKEN.encode() not in sealed.ciphertext
    assert sealed.ciphertext != cipher.encrypt(TOKEN, **ROW).ciphertext


@pytest.mark.parametrize("moved", [{"user_id": UUID(int=3)}, {"row_id": UUID(int=3)}, {"column": "refresh_token"}])
def test_a_token_cannot_be_moved_to_another_row(moved):
    """A ciphertext that was copied to another tenant, account or column is unreadable there."""
    cipher = TokenCipher(NEW)
    sealed = cipher.encrypt(TOKEN, **ROW)

    with pytest.raises(TokenUnreadableError, match="connect the account again"):
        cipher.decrypt(sealed, **{**ROW, **moved})


def test_the_first_key_encrypts_and_every_key_decrypts():
    """After a rotation old tokens stay readable and new ones name the new key."""
    sealed = TokenCipher(OLD).encrypt(TOKEN, **ROW)
    rotated = TokenCipher({**NEW, **OLD})

    assert rotated.decrypt(sealed, **ROW) == TOKEN
    assert rotated.encrypt(TOKEN, **ROW).key_id == "2026"


def test_a_lost_key_is_named():
    """A token whose key is gone says which key to put back."""
    sealed = TokenCipher(OLD).encrypt(TOKEN, **ROW)

    with pytest.raises(TokenUnreadableError, match="'2025', which TOKEN_KEYS does not hold"):
        TokenCipher(NEW).decrypt(sealed, **ROW)


def test_another_key_under_the_same_name_reads_nothing():
    """A key that was replaced instead of added is told as such, without a hint of the token."""
    sealed = TokenCipher(OLD).encrypt(TOKEN, **ROW)

    with pytest.raises(TokenUnreadableError, match="another key under the name"):
        TokenCipher({"2025": bytes(32)}).decrypt(sealed, **ROW)


@pytest.mark.parametrize("damage", [lambda c: c[:0], lambda c: c[:20], lambda c: c[:-1], lambda c: c + b"x"])
def test_damaged_bytes_are_unreadable(damage):
    """A ciphertext that was cut or changed never yields a token."""
    cipher = TokenCipher(NEW)
    sealed = cipher.encrypt(TOKEN, **ROW)

    with pytest.raises(TokenUnreadableError):
        cipher.decrypt(replace(sealed, ciphertext=damage(sealed.ciphertext)), **ROW)


@pytest.mark.parametrize("keys", [{}, {"short": b"x" * 16}])
def test_a_ring_without_proper_keys_is_refused(keys):
    """A cipher is not made from a ring that could not protect anything."""
    with pytest.raises(ValueError, match="32 bytes"):
        TokenCipher(keys)
