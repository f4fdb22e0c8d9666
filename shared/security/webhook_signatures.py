"""Signatures of what is sent to webhooks: those of Standard Webhooks, which libraries of many languages check."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_webhook_secret() -> str:
    """A new random secret, in the form that receivers put into their settings."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign_webhook(keys: Iterable[str], *, message_id: str, sent_at: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each key, so that a receiver may know any of them.

    Args:
        keys: what `new_webhook_secret` gave.
        message_id: the header `webhook-id`.
        sent_at: the header `webhook-timestamp`, in seconds since the epoch.
        body: exactly as it is sent.
    """
    signed = f"{message_id}.{sent_at}.".encode() + body
    digests = [hmac.digest(base64.b64decode(key.removeprefix(_PREFIX)), signed, hashlib.sha256) for key in keys]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
