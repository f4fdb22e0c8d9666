"""How the text of a setting is read: each reader answers the value, or raises ValueError with what it must be."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

_SECRET_BYTES_MIN = 16
_TOKEN_KEY_BYTES = 32


def url(*schemes: str) -> Callable[[str], str]:
    """A URL with one of these schemes and a host."""

    def parse(text: str) -> str:
        try:
            parts = urlsplit(text)
            fits = parts.scheme in schemes and parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError:  # its text may quote the password
            fits = None
        if not fits:
            expected = " or ".join(f"{scheme}://" for scheme in schemes)
            raise ValueError(f"must be a URL that begins with {expected} and names a host")
        return text.rstrip("/")

    return parse


def url_list(*schemes: str) -> Callable[[str], tuple[str, ...]]:
    """One or more of them, parted by commas."""

    def parse(text: str) -> tuple[str, ...]:
        urls = tuple(url(*schemes)(part.strip()) for part in text.split(",") if part.strip())
        return urls or (url(*schemes)(text),)

    return parse


def secret(text: str) -> bytes:
    """A secret, as bytes."""
    if len(text.encode()) < _SECRET_BYTES_MIN:
        raise ValueError(f"must be at least {_SECRET_BYTES_MIN} bytes long; make one with: openssl rand -hex 32")
    return text.encode()


def token_keys(text: str) -> dict[str, bytes]:
    """A ring of keys, by name; the first is the one to encrypt with."""
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        name, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not name or len(key) != _TOKEN_KEY_BYTES:
            raise ValueError(
                "must be NAME:KEY[,NAME:KEY...], each KEY 32 bytes in base64; make one with: openssl rand -base64 32"
            )
        if name in keys:
            raise ValueError(f"names the key {name!r} twice")
        keys[name] = key
    return keys


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number within these bounds."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def seconds(low: float, high: float) -> Callable[[str], float]:
    """Seconds within these bounds."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ValueError(f"must be seconds from {low:g} to {high:g}")
        return value

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """One of these words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of: {', '.join(choices)}")
        return text

    return parse


def media_store(text: str) -> str:
    """Where media are kept: a directory, or a bucket."""
    if text.startswith("s3://") and urlsplit(text).hostname:
        return text
    if "://" in text:
        raise ValueError("must be a directory or s3://BUCKET/PREFIX")
    if not Path(text).is_absolute():
        raise ValueError("must be an absolute directory path or s3://BUCKET/PREFIX")
    return text


def directory(text: str) -> Path:
    """A directory that exists."""
    if not Path(text).is_dir():
        raise ValueError("must be a directory that exists")
    return Path(text)
