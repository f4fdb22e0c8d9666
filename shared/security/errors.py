"""What the security library refuses; each says in its text what to do."""

from __future__ import annotations

from shared.errors import InstaDistroError


class TokenUnreadableError(InstaDistroError):
    """A stored token cannot be decrypted. Do not retry: restore the key, or have the account connected again."""


class UnsafeUrlError(InstaDistroError):
    """A URL leads where this system must not go for a client. Tell the client; never fetch it another way."""

    code = "media_url_forbidden"


class FetchFailedError(InstaDistroError):
    """A URL is allowed but gave no body. Tell the client; trying again later may help."""

    code = "media_unreachable"


class BodyTooLargeError(FetchFailedError):
    """A body exceeds the limit that the caller set. Tell the client; trying again does not help."""

    code = "media_too_large"
