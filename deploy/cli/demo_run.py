"""The demo's calls, in the order a new user would make them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shared.errors import InstaDistroError
from shared.publications import ENDED, PublicationState

WINDOW_S = 10
_BEGIN_IN_S = 1
_ENDED_DEADLINE_S = 180.0
_LOOK_EVERY_S = 0.3
_PAGE = 100
# Where there is no terminal, progress is about so many lines.
_LINES = 5
_SETTLED = frozenset({*ENDED, PublicationState.HELD, PublicationState.OUTCOME_UNKNOWN})


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Where to publish, as whom, and what."""

    http: aiohttp.ClientSession
    api_url: str
    api_key: str = field(repr=False)
    caption: str
    accounts_file: Path
    picture: Path
    reel: Path

    async def call(self, method: str, path: str, **request: Any) -> Any:
        """One call of the API.

        Raises:
            InstaDistroError: it answered with a problem; the text is the problem's.
        """
        headers = {"Authorization": f"Bearer {self.api_key}", **request.pop("headers", {})}
        async with self.http.request(method, f"{self.api_url}{path}", headers=headers, **request) as answer:
            body = await answer.json(content_type=None)
            if not answer.ok:
                raise InstaDistroError(f"{method} {path} answered {answer.status}: {body.get('detail', body)}")
            return body


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a demo published."""

    publications: list[dict[str, Any]]  # as the API shows them
    media_keys: frozenset[str]  # of the uploaded files, as their addresses name them


async def run_demo(demo: Demo, console: Console) -> Ran:
    """Import accounts, make a group, upload files, write a post of each format, distribute all, wait for the end."""
    imported = await demo.call(
        "POST",
        "/v1/accounts/import",
        data=await asyncio.to_thread(demo.accounts_file.read_bytes),
        headers={"Content-Type": "text/csv"},
    )
    accounts = await demo.call("GET", f"/v1/accounts?limit={_PAGE}")
    account_ids = [account["id"] for account in accounts["data"]]
    group = await demo.call("POST", "/v1/groups", json={"name": "Everybody", "account_ids": account_ids})
    picture, reel = await _upload(demo, demo.picture), await _upload(demo, demo.reel)
    begin = datetime.now(UTC) + timedelta(seconds=_BEGIN_IN_S)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(seconds=WINDOW_S)).isoformat()}
    distributions = []
    for kind, files in _posts(picture["id"], reel["id"]).items():
        caption = "" if kind == "story" else demo.caption
        post = await demo.call("POST", "/v1/posts", json={"type": kind, "caption": caption, "media_ids": files})
        wish = {"post_id": post["id"], "group_id": group["id"], "window": window}
        distributions.append((await demo.call("POST", "/v1/distributions", json=wish))["id"])
    console.print(
        f"  {imported['created'] + imported['updated']} accounts imported, a picture ({picture['width']}x"
        f"{picture['height']}) and a video ({reel['duration_ms'] / 1000:g} s) uploaded,\n"
        f"  an image, a carousel, a reel and a story distributed over {WINDOW_S} s"
    )
    total = len(account_ids) * len(distributions)
    publications = await _watch(demo, distributions, total=total, console=console)
    return Ran(publications=publications, media_keys=frozenset(key_of(one["url"]) for one in (picture, reel)))


def key_of(address: str) -> str:
    """The name of a file in its address."""
    return urlsplit(address).path.rsplit("/", 1)[-1]


def _posts(picture: str, reel: str) -> dict[str, list[str]]:
    return {"image": [picture], "carousel": [picture, reel, picture], "reel": [reel], "story": [picture]}


async def _upload(demo: Demo, file: Path) -> Any:
    form = aiohttp.FormData()
    form.add_field("file", await asyncio.to_thread(file.read_bytes), filename=file.name)
    return await demo.call("POST", "/v1/media", data=form)


async def _watch(demo: Demo, distributions: Sequence[str], *, total: int, console: Console) -> list[dict[str, Any]]:
    """Follow distributions until every publication stands still: a bar on a terminal, plain lines elsewhere."""
    columns = (TextColumn("  ended"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("published", total=total)
        shown = 0
        async with asyncio.timeout(_ENDED_DEADLINE_S):
            while True:
                publications = [one for which in distributions for one in await _publications(demo, which)]
                settled = sum(publication["state"] in _SETTLED for publication in publications)
                progress.update(bar, completed=settled)
                if not console.is_terminal and (settled >= shown + total / _LINES or settled == total > shown):
                    console.print(f"  {settled} of {total} have ended")
                    shown = settled
                if settled == total:
                    return publications
                await asyncio.sleep(_LOOK_EVERY_S)


async def _publications(demo: Demo, distribution_id: str) -> list[dict[str, Any]]:
    page = await demo.call("GET", f"/v1/publications?distribution_id={distribution_id}&limit={_PAGE}")
    data: list[dict[str, Any]] = page["data"]
    return data
