"""Over every secret of the settings: whatever a library or a server says, it is not repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.settings import Settings

_CREDENTIALS = re.compile(r"(?<=://)\S*@")  # up to the host of any URL
_COVER = "[secret]"
_SHORTEST = 6  # a shorter one would be found within ordinary words
_BESIDES = ("INSTADISTRO_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

#: The settings that are secret, as they are named in the environment.
SECRETS = tuple(item.name.upper() for item in fields(Settings) if item.metadata["secret"])


class Veil:
    """Covers the secrets of one environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Learn what is secret, in whatever form it is given."""
        found = {part for name in (*SECRETS, *_BESIDES) for text in given(environ, name) for part in _parts(text)}
        # The longest first, so that none is left as a rest of another.
        self._secrets = sorted((part for part in found if len(part) >= _SHORTEST), key=len, reverse=True)

    def over(self, text: str) -> str:
        """`text` without them, and without user and password in any URL."""
        text = _CREDENTIALS.sub("", text)
        for secret in self._secrets:
            text = text.replace(secret, _COVER)
        return text


def given(environ: Mapping[str, str], name: str) -> Iterator[str]:
    """The value of a setting, given directly or by a file; nothing where it is not given or cannot be read."""
    if environ.get(name):
        yield environ[name]
    if environ.get(f"{name}_FILE"):
        with suppress(OSError, ValueError):
            yield Path(environ[f"{name}_FILE"]).read_text(encoding="utf-8").strip()


def passwords(text: str) -> Iterator[str]:
    """The passwords in a setting that is one URL or several."""
    for url in text.split(","):
        with suppress(ValueError):
            if password := urlsplit(url.strip()).password:
                yield unquote(password)


def _parts(text: str) -> Iterator[str]:
    yield text
    yield from passwords(text)
    for url in text.split(","):
        with suppress(ValueError):
            yield urlsplit(url.strip()).password or ""
        if "://" not in url:
            yield url.strip().partition(":")[2]  # a key of the ring
