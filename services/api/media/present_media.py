"""A medium as clients see it."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from services.api.media import store
from services.api.media.contract import Media
from shared.database import Row
from shared.instagram import fitting_formats, formats_of_kind, media_faults
from shared.security import MEDIA_URL_LIFE_S, MediaUrls

_SAME_FOR_S = 3600
_SHOWN = (
    *("id", "kind", "mime", "bytes", "width", "height", "duration_ms", "sha256"),
    *("unreachable_since", "unreachable_reason", "created_at"),
)


def present(row: Row, *, urls: MediaUrls) -> Media:
    """What a medium is, where it can stand, and an address that opens it."""
    facts = store.facts_of(row)
    formats = fitting_formats(facts)
    problems = {
        str(wanted): [fault.message for fault in media_faults(facts, wanted)]
        for wanted in formats_of_kind(facts.kind)
        if wanted not in formats
    }
    # One address an hour: an answer that tells nothing new is the same as the one before, byte for byte.
    url = urls.address(row["key"], life_s=MEDIA_URL_LIFE_S - int(time.time()) % _SAME_FOR_S)
    shown = {name: row[name] for name in _SHOWN}
    return Media(**shown, formats=list(formats), problems=problems, url=url)


def without_address(media: Media) -> dict[str, Any]:
    """The same for a record that others may read later: an address opens the file to whoever has it."""
    return {name: value for name, value in msgspec.structs.asdict(media).items() if name != "url"}
