"""Finding secrets in what a system writes: as they are, cut short, or in the encodings in which they travel."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

#: A part of a secret this long is a secret told.
PART_CHARS = 12


class Detector:
    """Knows secrets, by names that may be shown."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        short = [name for name, secret in secrets.items() if len(secret) < PART_CHARS]
        assert not short, f"too short to be told from chance: {short}"
        self._forms = {form: name for name, secret in secrets.items() for form in _forms(secret)}

    def told(self, text: str) -> set[str]:
        """The names of the secrets that the text holds, in whatever form."""
        return {name for form, name in self._forms.items() if form in text}


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode()
    # Whatever stands whole somewhere holds these: what was cut off at either end is found as well.
    yield secret[:PART_CHARS]
    yield secret[-PART_CHARS:]
    yield raw.hex()
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # In the middle of something longer it begins at any of three places of a group.
        for shift in range(3):
            encoded = encode(b"\0" * shift + raw).decode().rstrip("=")
            yield encoded[4 if shift else 0 : -2]
