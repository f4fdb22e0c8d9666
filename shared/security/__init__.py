"""Secrets at rest, API keys, and URLs that come from outside."""

from __future__ import annotations

from shared.security.api_keys import NewApiKey, ParsedApiKey, matches, new_api_key, parse_api_key
from shared.security.errors import BodyTooLargeError, FetchFailedError, TokenUnreadableError, UnsafeUrlError
from shared.security.fetch import FetchedBody, failure_reason, fetch_guarded
from shared.security.media_urls import MEDIA_URL_LIFE_S, MediaUrls
from shared.security.public_fetch import PublicFetch, open_public_fetch
from shared.security.tokens import SealedToken, TokenCipher
from shared.security.urls import GuardedResolver, Origin, check_url, parse_url
from shared.security.webhook_signatures import new_webhook_secret, sign_webhook

__all__ = [
    "MEDIA_URL_LIFE_S",
    "BodyTooLargeError",
    "FetchFailedError",
    "FetchedBody",
    "GuardedResolver",
    "MediaUrls",
    "NewApiKey",
    "Origin",
    "ParsedApiKey",
    "PublicFetch",
    "SealedToken",
    "TokenCipher",
    "TokenUnreadableError",
    "UnsafeUrlError",
    "check_url",
    "failure_reason",
    "fetch_guarded",
    "matches",
    "new_api_key",
    "new_webhook_secret",
    "open_public_fetch",
    "parse_api_key",
    "parse_url",
    "sign_webhook",
]
