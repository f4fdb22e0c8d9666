from __future__ import annotations

from html import escape

from aiohttp import web

from deploy.emulator.ids import id_of_shortcode
from deploy.emulator.runtime import EMULATOR

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{username}</title>
<meta name="viewport" content="width=device-width">
<body style="max-width:40rem;margin:2rem auto;font-family:sans-serif">
<h1>{username}</h1><img src="{image_url}" alt="{alt_text}" style="max-width:100%">
<p style="white-space:pre-wrap">{caption}</p><p><small>{published_at} · kept by the Graph API emulator</small></p>
"""


async def show_post(request: web.Request) -> web.Response:
    """GET /p/{shortcode}/: a published post as a person would see it, so that permalinks open."""
    world = request.app[EMULATOR].world
    media = world.media.get(id_of_shortcode(request.match_info["shortcode"]))
    if media is None:
        return web.Response(status=404, text="No such post: it was never published here, or was forgotten.\n")
    texts = {
        "username": world.accounts[media.ig_user_id].username,
        "image_url": media.image_url,
        "alt_text": media.alt_text,
        "caption": media.caption,
        "published_at": f"{media.published_at:%Y-%m-%d %H:%M:%S} UTC",
    }
    page = _PAGE.format_map({name: escape(text) for name, text in texts.items()})
    return web.Response(body=page.encode(errors="replace"), content_type="text/html", charset="utf-8")
