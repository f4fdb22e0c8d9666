"""Secrets that somebody could guess: examples, words, one for all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from deploy.doctor.finding import Verdict, ok, warning
from deploy.doctor.setup import Setup
from deploy.doctor.veil import given, passwords

# None of these stands in a random secret but by a chance of one in ten thousand.
_WORDS = re.compile(
    r"change.?me|example|passw|secret|default|insecure|123456|qwerty|admin|guest|postgres", re.IGNORECASE
)
_FEWEST_DIFFERENT = 6
_PASSWORD_CHARS_MIN = 8
_URLS = ("DATABASE_URL", "REDIS_URL", "AMQP_URL", "AMQP_MANAGEMENT_URL")
_RANDOM = ("CURSOR_SECRET", "API_KEY_PEPPER")


async def look_at_secrets(setup: Setup) -> Verdict | list[Verdict]:
    """Every secret that is weak; its value is not told."""
    found = [*_guessable(setup), *_shared(setup)]
    return found or ok("No secret looks guessed, and no two are the same.")


def _guessable(setup: Setup) -> Iterator[Verdict]:
    values = {name: text for name in _RANDOM for text in given(setup.environ, name)}
    for name, text in values.items():
        if _is_weak(text):
            yield warning(
                f"{name} is no random text.",
                do="Make one with `openssl rand -hex 32`; docs/configuration.md says what a change entails.",
            )
    for key_name, key in setup.settings.token_keys.items():
        if len(set(key)) < _FEWEST_DIFFERENT or key.isalnum():
            yield warning(
                f"The key {key_name!r} of TOKEN_KEYS is no random bytes.",
                do="Put a new one before it, made with `openssl rand -base64 32`, and run `instadistro tokens rotate`.",
            )
    for name in _URLS:
        for password in (each for text in given(setup.environ, name) for each in passwords(text)):
            if _is_weak(password) or len(password) < _PASSWORD_CHARS_MIN:
                yield warning(
                    f"The password in {name} is easily guessed.",
                    do=f"Give the server's user a random one, made with `openssl rand -hex 16`, and {name} too.",
                )


def _is_weak(text: str) -> bool:
    return bool(_WORDS.search(text)) or len(set(text)) < _FEWEST_DIFFERENT


def _shared(setup: Setup) -> Iterator[Verdict]:
    settings = setup.settings
    secrets = {"CURSOR_SECRET": settings.cursor_secret, "API_KEY_PEPPER": settings.api_key_pepper}
    secrets |= {f"the key {name!r} of TOKEN_KEYS": key for name, key in settings.token_keys.items()}
    for (one, value), (other, same) in combinations(secrets.items(), 2):
        if value == same:
            yield warning(
                f"{one} and {other} are the same secret.",
                do="Make one of them anew: whoever learns one then has not learnt the other.",
            )
