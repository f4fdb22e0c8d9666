"""API keys: shown once when made, stored only as a keyed hash."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field

_ID_BYTES = 8
_SECRET_BYTES = 32
_TEXT = re.compile(r"ids_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class NewApiKey:
    """A key that was just made. Show `text` to its owner now; it cannot be shown again."""

    key_id: str  # finds the row; not secret
    text: str = field(repr=False)  # what the client sends
    secret_hash: bytes  # what is stored


@dataclass(frozen=True, kw_only=True)
class ParsedApiKey:
    """A key as a client sent it: well-formed, not yet checked."""

    key_id: str
    secret: str = field(repr=False)


def new_api_key(pepper: bytes) -> NewApiKey:
    """A new random key; `pepper` is the setting that keys the stored hash."""
    parsed = ParsedApiKey(key_id=secrets.token_hex(_ID_BYTES), secret=secrets.token_urlsafe(_SECRET_BYTES))
    text = f"ids_{parsed.key_id}_{parsed.secret}"
    return NewApiKey(key_id=parsed.key_id, text=text, secret_hash=_hash(parsed, pepper))


def parse_api_key(text: str) -> ParsedApiKey | None:
    """The parts of a key, or None if this is no key of ours. Answer 401 then, without looking anything up."""
    found = _TEXT.fullmatch(text)
    return ParsedApiKey(key_id=found[1], secret=found[2]) if found else None


def matches(parsed: ParsedApiKey, secret_hash: bytes, pepper: bytes) -> bool:
    """Whether this is the key whose hash was stored; takes the same time either way."""
    return hmac.compare_digest(_hash(parsed, pepper), secret_hash)


def _hash(parsed: ParsedApiKey, pepper: bytes) -> bytes:
    # A fast hash suffices: the secret is 256 random bits, so there is nothing to guess.
    return hmac.digest(pepper, f"{parsed.key_id}:{parsed.secret}".encode(), "sha256")
