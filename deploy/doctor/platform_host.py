"""Whether a set-up speaks to Instagram itself."""

from __future__ import annotations

from urllib.parse import urlsplit

from shared.instagram import INSTAGRAM_LOGIN
from shared.settings import Settings


def is_real_platform(settings: Settings) -> bool:
    """Whether INSTAGRAM_GRAPH_URL is Meta's own, not a stand-in's."""
    return urlsplit(settings.instagram_graph_url).hostname == urlsplit(INSTAGRAM_LOGIN.graph_url).hostname
