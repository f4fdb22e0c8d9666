"""What is published during the fault run: posts of every format on many accounts, each post told by its caption."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from tests.faults.publishing.ground import Ground
from tests.faults.publishing.owners import all_accounts, import_accounts

_PICTURE = Path("examples/picture.jpg")
_REEL = Path("examples/reel.mp4")
_BEGIN_IN_S = 2.0
_MOST_ACCOUNTS = 1_000
# Ten posts for each account at most: its formats follow in this order. A story has no caption to tell it by, so there
# is one.
_FORMATS = ("image", "carousel", "reel", "story", "image", "image", "carousel", "image", "reel", "image")


@dataclass(frozen=True, kw_only=True)
class Load:
    """What was asked for."""

    publications: int
    accounts: int
    ends_at: datetime  # the last one's time


async def order(ground: Ground, *, publications: int, over_s: float, name: str) -> Load:
    """Make accounts and posts, and distribute the posts over `over_s` seconds."""
    posts = min(len(_FORMATS), max(1, math.ceil(publications / _MOST_ACCOUNTS), publications // 30))
    accounts = math.ceil(publications / posts)
    group_id = await _make_group(ground, accounts, name=name)
    media = {"image": await _upload(ground, _PICTURE), "video": await _upload(ground, _REEL)}
    begin = datetime.now(UTC) + timedelta(seconds=_BEGIN_IN_S)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(seconds=over_s)).isoformat()}
    for number, kind in zip(range(posts), _FORMATS, strict=False):
        body = _post(kind, media, caption="" if kind == "story" else f"{name}, post {number}")
        post = await ground.api("POST", "/v1/posts", json=body)
        wish = {"post_id": post["id"], "group_id": group_id, "window": window, "max_lateness_s": None, "seed": number}
        await ground.api("POST", "/v1/distributions", json=wish)
    return Load(publications=posts * accounts, accounts=accounts, ends_at=begin + timedelta(seconds=over_s))


async def _make_group(ground: Ground, accounts: int, *, name: str) -> str:
    made = await ground.emulator("POST", "accounts", json={"count": accounts})
    await import_accounts(ground, made)
    wanted = {account["ig_user_id"] for account in made}
    known = [account["id"] async for account in all_accounts(ground) if account["instagram_user_id"] in wanted]
    assert len(known) == accounts, f"{len(known)} of {accounts} accounts are there"
    group = await ground.api("POST", "/v1/groups", json={"name": name, "account_ids": known})
    group_id: str = group["id"]
    return group_id


async def _upload(ground: Ground, file: Path) -> str:
    form = aiohttp.FormData()
    form.add_field("file", await asyncio.to_thread(file.read_bytes), filename=file.name)
    media = await ground.api("POST", "/v1/media", data=form)
    media_id: str = media["id"]
    return media_id


def _post(kind: str, media: dict[str, str], *, caption: str) -> dict[str, Any]:
    return {"type": kind, "caption": caption, "media_ids": list(_media_ids(kind, media))}


def _media_ids(kind: str, media: dict[str, str]) -> Iterator[str]:
    match kind:
        case "carousel":
            yield from (media["image"], media["video"], media["image"])
        case "reel":
            yield media["video"]
        case _:
            yield media["image"]
