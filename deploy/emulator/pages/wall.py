"""What is live, for a person: newest first, with what the emulator was told to do."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import islice
from urllib.parse import urlencode

from aiohttp import web

from deploy.emulator.options import Options
from deploy.emulator.pages.frames import frames
from deploy.emulator.pages.layout import page
from deploy.emulator.pages.orders import orders
from deploy.emulator.pages.post import kind_of
from deploy.emulator.runtime import EMULATOR, Emulator
from deploy.emulator.state import WINDOW, Media

_SHOWN = 60
_NAMES_OFFERED = 500
_REFRESH_S = 5
_CARD = """<article class="card{mark}"><header><a href="?account={username}">{username}</a>
<span class="kind">{kind}</span></header>{frames}<div class="words">{caption}</div>
<footer><span>{published_at}</span><a href="{permalink}">open</a></footer></article>"""
_HEAD = """<div class="bar"><h1>Live on the emulator</h1><span class="soft">{now} UTC{ahead}</span></div>
<div class="bar">{counts}</div>
<form class="bar"><input name="account" list="accounts" placeholder="account" value="{account}" size="28">
<datalist id="accounts">{names}</datalist>
<label><input type="checkbox" name="refresh" value="on"{checked}> refresh every {refresh_s} s</label>
<button>Show</button><a class="soft" href="?">all</a></form>{orders}"""


async def show_wall(request: web.Request) -> web.Response:
    """GET /_emulator/ in a browser, with ?account= (a name or id), ?refresh=on and ?before= (an id)."""
    emulator = request.app[EMULATOR]
    account, is_fresh = request.query.get("account", "").strip(), request.query.get("refresh") == "on"
    posts = list(islice(_newest(emulator, account, request.query.get("before", "")), _SHOWN + 1))
    body = _head(emulator, account, is_fresh=is_fresh) + _cards(emulator, posts[:_SHOWN])
    if len(posts) > _SHOWN:
        older = urlencode({"account": account, "before": posts[_SHOWN - 1].id})
        body += f'<p class="bar"><a href="?{escape(older)}">older</a></p>'
    return page("Live on the emulator", body, refresh_s=_REFRESH_S if is_fresh else 0)


async def show_preview(request: web.Request) -> web.Response:
    """GET /_emulator/previews/{key}.jpg: a picture that was inspected lately, made small."""
    jpeg = request.app[EMULATOR].inspector.preview(request.match_info["key"])
    if jpeg is None:
        return web.Response(status=404, text="No such picture, or it was forgotten.\n")
    return web.Response(body=jpeg, content_type="image/jpeg", headers={"Cache-Control": "max-age=86400"})


def _newest(emulator: Emulator, account: str, before: str) -> Iterator[Media]:
    now, world = emulator.clock.now(), emulator.world
    for media in reversed(world.media.values()):
        is_over = media.format.product == "STORY" and media.published_at <= now - WINDOW
        is_newer = before.isdecimal() and int(media.id) >= int(before[:25])
        names = {media.ig_user_id, world.accounts[media.ig_user_id].username, ""}
        if not is_over and not is_newer and account in names:
            yield media


def _cards(emulator: Emulator, posts: list[Media]) -> str:
    if not posts:
        return '<p class="empty">Nothing is live yet.</p>'
    return f'<div class="wall">{"".join(_card(emulator, media) for media in posts)}</div>'


def _card(emulator: Emulator, media: Media) -> str:
    return _CARD.format(
        mark=" story" if media.format.product == "STORY" else "",
        username=escape(emulator.world.accounts[media.ig_user_id].username),
        kind=kind_of(media),
        frames=frames(emulator, media),
        caption=escape(media.caption),
        published_at=f"{media.published_at:%Y-%m-%d %H:%M:%S}",
        permalink=escape(media.permalink),
    )


def _head(emulator: Emulator, account: str, *, is_fresh: bool) -> str:
    world, now = emulator.world, emulator.clock.now()
    counts = {
        "accounts": len(world.accounts),
        "posts": sum(len(activity.media_ids) for activity in world.activity.values()),
        "stories": sum(len(world.live_stories(each, now)) for each in world.accounts),
        "calls": world.calls_of.total(),
        "faults met": world.faults_met.total(),
    }
    chips = (f'<span class="chip"><b>{count:,}</b> {name}</span>' for name, count in counts.items())
    names = islice((account.username for account in world.accounts.values()), _NAMES_OFFERED)
    ahead_s = emulator.clock.ahead_s()
    return _HEAD.format(
        now=f"{now:%Y-%m-%d %H:%M:%S}",
        ahead=f", {ahead_s:,.0f} s ahead" if ahead_s else "",
        counts="".join(chips),
        account=escape(account),
        names="".join(f'<option value="{escape(name)}">' for name in names),
        checked=" checked" if is_fresh else "",
        refresh_s=_REFRESH_S,
        orders=orders(emulator.options, Options(), world.faults.left()),
    )
