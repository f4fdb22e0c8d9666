from __future__ import annotations

from html import escape

from aiohttp import web

from deploy.emulator.ids import id_of_shortcode
from deploy.emulator.pages.frames import frames
from deploy.emulator.pages.layout import page
from deploy.emulator.pictures import video_thumbnail
from deploy.emulator.runtime import EMULATOR
from deploy.emulator.state import Media

_BODY = """<div class="bar"><h1>{username}</h1><span class="soft">{kind}</span></div>
<div class="card full">{frames}<div class="words">{caption}</div>
<footer><span>{published_at}</span><a href="/_emulator/?account={username}">all of {username}</a></footer></div>
<p class="soft">Kept by the Graph API emulator: nothing here is on Instagram.</p>"""
_GONE = (
    '<h1>No such post</h1><p>It was never published here, or was forgotten. <a href="/_emulator/">What is live</a></p>'
)


async def show_post(request: web.Request) -> web.Response:
    """GET /p/{shortcode}/: a published post as a person would see it, so that permalinks open."""
    emulator = request.app[EMULATOR]
    media = _post_of(request)
    if media is None:
        return page("No such post", _GONE, is_narrow=True, status=404)
    username = emulator.world.accounts[media.ig_user_id].username
    body = _BODY.format(
        username=escape(username),
        kind=kind_of(media),
        frames=frames(emulator, media),
        caption=escape(media.caption),
        published_at=f"{media.published_at:%Y-%m-%d %H:%M:%S} UTC",
    )
    return page(username, body, is_narrow=True)


async def show_thumbnail(request: web.Request) -> web.Response:
    """GET /p/{shortcode}/thumbnail.jpg: what stands in for a frame of a video."""
    media = _post_of(request)
    if media is None or media.format.media_type != "VIDEO" or media.found is None:
        return web.Response(status=404, text="No such video.\n")
    jpeg = video_thumbnail(media.found.width, media.found.height)
    return web.Response(body=jpeg, content_type="image/jpeg", headers={"Cache-Control": "max-age=86400"})


def kind_of(media: Media) -> str:
    """A post's format in a word or two."""
    return media.format.name.replace("_", " ")


def _post_of(request: web.Request) -> Media | None:
    return request.app[EMULATOR].world.find_media(id_of_shortcode(request.match_info["shortcode"]))
