"""The platform's errors as data, and the two envelopes they travel in. The rows are in `error_table`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ErrorKind:
    """One row of the platform's error tables."""

    code: int
    subcode: int | None = None
    message: str
    http_status: int = 400
    type: str = "OAuthException"
    is_transient: bool = False
    title: str | None = None  # error_user_title
    advice: str | None = None  # error_user_msg


class GraphError(Exception):
    """The call is refused the way the platform refuses it; `message` replaces the kind's own sentence."""

    def __init__(self, kind: ErrorKind, message: str | None = None) -> None:
        self.kind = kind
        self.message = message or kind.message
        super().__init__(self.message)

    def envelope(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind.type, "code": self.kind.code}
        if self.kind.subcode is not None:
            error["error_subcode"] = self.kind.subcode
        error["is_transient"] = self.kind.is_transient
        if self.kind.title:
            error["error_user_title"] = self.kind.title
        if self.kind.advice:
            error["error_user_msg"] = self.kind.advice
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return {"error": error}

    def oauth_envelope(self) -> dict[str, Any]:
        """The JSON body where a code is exchanged, which has a form of its own."""
        return {"error_type": self.kind.type, "code": self.kind.http_status, "error_message": self.message}
