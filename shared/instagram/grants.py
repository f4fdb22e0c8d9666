"""What the token endpoints grant: read so that nothing empty or odd ever stands in for a token."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.instagram.account import is_token
from shared.instagram.results import Json, UnusableAnswerError, checked_id, flat


@dataclass(frozen=True, kw_only=True)
class CodeGrant:
    """What an owner's code was exchanged for: a token for one hour, to be exchanged at once."""

    access_token: str = field(repr=False)
    user_id: str  # as this endpoint says it; the profile's `ig_user_id` is the account's
    scopes: frozenset[str] | None  # granted: an owner may untick some; None: the platform did not say


@dataclass(frozen=True, kw_only=True)
class TokenGrant:
    """A long-lived token. Store it even where it looks like the one before."""

    access_token: str = field(repr=False)
    expires_in_s: int | None  # None: the platform did not say; documented are 60 days
    scopes: frozenset[str] | None  # None: the platform did not say


def read_code_grant(body: Json) -> CodeGrant:
    """The answer to a code, wrapped in `data` as documented or flat as seen."""
    item = flat(body)
    return CodeGrant(access_token=_token(item), user_id=checked_id(item.get("user_id")), scopes=_scopes(item))


def read_token_grant(body: Json) -> TokenGrant:
    """The answer to an exchange or a refresh."""
    item = flat(body)
    seconds = item.get("expires_in")
    known = isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0
    return TokenGrant(access_token=_token(item), expires_in_s=seconds if known else None, scopes=_scopes(item))


def _token(item: Json) -> str:
    token = item.get("access_token")
    if not isinstance(token, str) or not is_token(token):
        raise UnusableAnswerError("the token is missing or malformed")
    return token


def _scopes(item: Json) -> frozenset[str] | None:
    """Permissions, in one text or in a list. No token is without any, so that an empty one says nothing."""
    said = item.get("permissions")
    names = said.split(",") if isinstance(said, str) else said
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return frozenset(name.strip() for name in names if name.strip()) or None
