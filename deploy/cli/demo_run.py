"""The demo's calls, in the order a new user would make them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from instadistro_client import InstaDistro
from instadistro_client.shapes import Publication
from shared.publications import ENDED, PublicationState

WINDOW_S = 10
_BEGIN_IN_S = 1
_ENDED_DEADLINE_S = 180.0
_LOOK_EVERY_S = 0.3
# Where there is no terminal, progress is about so many lines.
_LINES = 5
_SETTLED = frozenset({*ENDED, PublicationState.HELD, PublicationState.OUTCOME_UNKNOWN})


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Where to publish, as whom, and what."""

    api: InstaDistro
    caption: str
    accounts_file: Path
    picture: Path
    reel: Path


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a demo published."""

    publications: list[Publication]  # as the API shows them
    media_keys: frozenset[str]  # of the uploaded files, as their addresses name them


async def run_demo(demo: Demo, console: Console) -> Ran:
    """Import accounts, make a group, upload files, write a post of each format, distribute all, wait for the end."""
    api = demo.api
    imported = await api.accounts.import_(await asyncio.to_thread(demo.accounts_file.read_bytes))
    account_ids = [account.id async for account in api.accounts.list()]
    group = await api.groups.create(name="Everybody", account_ids=account_ids)
    picture, reel = await api.media.upload(demo.picture), await api.media.upload(demo.reel)
    begin = datetime.now(UTC) + timedelta(seconds=_BEGIN_IN_S)
    end = begin + timedelta(seconds=WINDOW_S)
    posts = []
    for kind, files in _posts(picture.id, reel.id).items():
        caption = "" if kind == "story" else demo.caption
        post = await api.posts.create(type_=kind, caption=caption, media_ids=files)
        await api.distributions.create(post_id=post.id, group_id=group.id, begin=begin, end=end)
        posts.append(post.id)
    console.print(
        f"  {imported.created + imported.updated} accounts imported, a picture ({picture.width}x"
        f"{picture.height}) and a video ({(reel.duration_ms or 0) / 1000:g} s) uploaded,\n"
        f"  an image, a carousel, a reel and a story distributed over {WINDOW_S} s"
    )
    total = len(account_ids) * len(posts)
    publications = await _watch(api, posts, total=total, console=console)
    return Ran(publications=publications, media_keys=frozenset(key_of(one.url) for one in (picture, reel)))


def key_of(address: str) -> str:
    """The name of a file in its address."""
    return urlsplit(address).path.rsplit("/", 1)[-1]


def _posts(picture: UUID, reel: UUID) -> dict[str, list[UUID]]:
    return {"image": [picture], "carousel": [picture, reel, picture], "reel": [reel], "story": [picture]}


async def _watch(api: InstaDistro, posts: Sequence[UUID], *, total: int, console: Console) -> list[Publication]:
    """Follow posts until every publication stands still: a bar on a terminal, plain lines elsewhere."""
    columns = (TextColumn("  ended"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("published", total=total)
        shown = 0
        async with asyncio.timeout(_ENDED_DEADLINE_S):
            while True:
                publications = [one for post in posts async for one in api.publications.list(post_id=post)]
                settled = sum(publication.state in _SETTLED for publication in publications)
                progress.update(bar, completed=settled)
                if not console.is_terminal and (settled >= shown + total / _LINES or settled == total > shown):
                    console.print(f"  {settled} of {total} have ended")
                    shown = settled
                if settled == total:
                    return publications
                await asyncio.sleep(_LOOK_EVERY_S)
