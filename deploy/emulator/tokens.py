"""Tokens and the codes they begin with: whose they are, what they open, and until when."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.emulator.error_table import TOKEN_EXPIRED, TOKEN_INVALID
from deploy.emulator.errors import ErrorKind, GraphError

BASIC = "instagram_business_basic"
PUBLISH = "instagram_business_content_publish"
INSIGHTS = "instagram_business_manage_insights"
PERMISSIONS = (
    BASIC,
    PUBLISH,
    INSIGHTS,
    "instagram_business_manage_comments",
    "instagram_business_manage_messages",
)
LONG_LIFE = timedelta(days=60)
SHORT_LIFE = timedelta(hours=1)
REFRESHABLE_AFTER = timedelta(hours=24)
CODE_LIFE = timedelta(hours=1)

_TOKENS_PER_ACCOUNT = 16
_CODES_MAX = 10_000


@dataclass(kw_only=True, slots=True)
class Token:
    """One token. What it may do is the account's: a person grants an application, not a token."""

    text: str
    ig_user_id: str
    issued_at: datetime
    expires_at: datetime
    is_short: bool = False
    ended_by: ErrorKind | None = None  # revoked, and how that is told


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """A person's consent on its way to the application."""

    text: str
    ig_user_id: str
    client_id: str
    redirect_uri: str
    permissions: frozenset[str]
    expires_at: datetime


class TokenBook:
    """The tokens and codes of one world; of an account the latest 16 tokens are known."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._of_account: dict[str, deque[Token]] = {}
        self._codes: dict[str, Code] = {}  # oldest first

    def __contains__(self, text: str) -> bool:
        return text in self._tokens

    def add(self, token: Token) -> Token:
        """Make a token known; the caller has checked that its text is new."""
        own = self._of_account.setdefault(token.ig_user_id, deque())
        own.append(token)
        self._tokens[token.text] = token
        if len(own) > _TOKENS_PER_ACCOUNT:
            del self._tokens[own.popleft().text]
        return token

    def issue(self, ig_user_id: str, *, now: datetime, is_short: bool = False) -> Token:
        """A new token of an account."""
        return self.add(
            Token(
                text=f"EMULATOR-TOKEN-{ig_user_id}-{secrets.token_hex(8)}-not-a-real-token",
                ig_user_id=ig_user_id,
                issued_at=now,
                expires_at=now + (SHORT_LIFE if is_short else LONG_LIFE),
                is_short=is_short,
            )
        )

    def opened_by(self, text: str | None, *, now: datetime) -> Token:
        """The token of this text.

        Raises:
            GraphError: there is none, or it has ended.
        """
        token = self._tokens.get(text or "")
        if token is None:
            raise GraphError(TOKEN_INVALID)
        if token.ended_by is not None:
            raise GraphError(token.ended_by)
        if token.expires_at <= now:
            raise GraphError(TOKEN_EXPIRED)
        return token

    def end_all(self, ig_user_id: str, *, told_as: ErrorKind) -> None:
        """End every token that an account has now."""
        for token in self._of_account.get(ig_user_id, ()):
            token.ended_by = told_as

    def give_code(
        self, ig_user_id: str, *, client_id: str, redirect_uri: str, permissions: Iterable[str], now: datetime
    ) -> Code:
        """A new code, for one use within an hour."""
        code = Code(
            text=secrets.token_urlsafe(32),
            ig_user_id=ig_user_id,
            client_id=client_id,
            redirect_uri=redirect_uri,
            permissions=frozenset(permissions),
            expires_at=now + CODE_LIFE,
        )
        self._codes[code.text] = code
        if len(self._codes) > _CODES_MAX:
            del self._codes[next(iter(self._codes))]
        return code

    def code(self, text: str, *, now: datetime) -> Code | None:
        """The code of this text if it can still be used."""
        code = self._codes.get(text)
        return code if code is not None and now < code.expires_at else None

    def use_code(self, code: Code) -> None:
        """Make sure that a code is of no use again."""
        self._codes.pop(code.text, None)
