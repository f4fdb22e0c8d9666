"""A medium as HTML."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from deploy.emulator.runtime import Emulator
from deploy.emulator.state import Media

_SAFE_IN_STYLE = "%/:?#[]@!$&*+,;=~"  # what a URL may hold, but for quotes, brackets and backslashes


def frames(emulator: Emulator, media: Media) -> str:
    """The picture or video of a post, or all of a carousel's, side by side."""
    if not media.children:
        return _frame(emulator, media)
    shown = "".join(
        _frame(emulator, item, count=f"{number}/{len(media.children)}")
        for number, item in enumerate(media.children, start=1)
    )
    return f'<div class="strip">{shown}</div>'


def _frame(emulator: Emulator, media: Media, *, count: str = "") -> str:
    mark = f'<span class="count">{count}</span>' if count else ""
    url = escape(media.media_url or "")
    if media.format.media_type == "VIDEO":
        backdrop = quote(media.details.cover_url or f"/p/{media.shortcode}/thumbnail.jpg", safe=_SAFE_IN_STYLE)
        # Its first frame is seen as soon as it can be fetched, the backdrop until then.
        video = f'<video src="{url}#t=0.1" controls muted playsinline preload="metadata"></video>'
        return f'<div class="frame" style="background-image:url(&quot;{escape(backdrop)}&quot;)">{video}{mark}</div>'
    key = media.found.preview_key if media.found else None
    # The preview stays when the URL, which may be signed for a day only, opens no longer.
    src = f"/_emulator/previews/{key}.jpg" if emulator.inspector.preview(key) else url
    image = f'<img src="{src}" alt="{escape(media.details.alt_text)}" loading="lazy">'
    return f'<a class="frame" href="{url}">{image}{mark}</a>'
