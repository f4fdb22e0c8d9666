"""Addresses of media that anyone may open for a while: the key names the bytes, the signature grants the time."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from urllib.parse import parse_qsl, quote

#: How long an address that a container is made with must hold: a container's life, and what clocks and queues add.
MEDIA_URL_LIFE_S = 26 * 3600
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class MediaUrls:
    """Makes and checks such addresses."""

    def __init__(self, public_url: str, *, secret: bytes) -> None:
        """Take the public address of the gateway and the secret, under which another key is derived for media alone."""
        self._root = public_url.rstrip("/")
        self._key = hmac.digest(secret, b"instadistro media addresses", hashlib.sha256)

    def address(self, key: str, *, life_s: int = MEDIA_URL_LIFE_S) -> str:
        """An absolute address that opens for `life_s` seconds from now."""
        expires = str(int(time.time()) + life_s)
        return f"{self._root}/media/{quote(key)}?expires={expires}&signature={self._signature(key, expires)}"

    def is_ours(self, url: str) -> bool:
        """Whether a URL is an address of ours that still holds."""
        place, _, query = url.partition("?")
        key = place.removeprefix(f"{self._root}/media/")
        said = dict(parse_qsl(query))
        is_signed = self.opens(key, expires=said.get("expires", ""), signature=said.get("signature", ""))
        return key != place and is_signed

    def opens(self, key: str, *, expires: str, signature: str) -> bool:
        """Whether an address with these parameters is one of ours and still holds."""
        if not _SECONDS.fullmatch(expires):
            return False
        expected = self._signature(key, expires)
        return hmac.compare_digest(expected.encode(), _bytes(signature)) and time.time() < int(expires)

    def _signature(self, key: str, expires: str) -> str:
        return hmac.digest(self._key, _bytes(f"{key}\n{expires}"), hashlib.sha256).hex()


def _bytes(text: str) -> bytes:
    # What a client made up may hold what no encoding knows; it is wrong then, and no error.
    return text.encode(errors="replace")
