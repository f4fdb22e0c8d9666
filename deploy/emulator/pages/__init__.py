from __future__ import annotations

from deploy.emulator.pages.consent import ask_consent, take_consent
from deploy.emulator.pages.post import show_post, show_thumbnail
from deploy.emulator.pages.wall import show_preview, show_wall

__all__ = ["ask_consent", "show_post", "show_preview", "show_thumbnail", "show_wall", "take_consent"]
