"""The demo's calls, in the order a new user would make them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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


async def run_demo(demo: Demo, console: Console) -> list[dict[str, Any]]:
    """Import accounts, make a group, upload a picture, write a post, distribute it, wait until everything has ended.

    Returns:
        The publications as the API shows them.
    """
    imported = await demo.call(
        "POST",
        "/v1/accounts/import",
        data=await asyncio.to_thread(demo.accounts_file.read_bytes),
        headers={"Content-Type": "text/csv"},
    )
    accounts = await demo.call("GET", f"/v1/accounts?limit={_PAGE}")
    account_ids = [account["id"] for account in accounts["data"]]
    group = await demo.call("POST", "/v1/groups", json={"name": "Everybody", "account_ids": account_ids})
    media = await _upload(demo)
    post = await demo.call(
        "POST", "/v1/posts", json={"type": "image", "caption": demo.caption, "media_ids": [media["id"]]}
    )
    begin = datetime.now(UTC) + timedelta(seconds=_BEGIN_IN_S)
    window = {"from": begin.isoformat(), "to": (begin + timedelta(seconds=WINDOW_S)).isoformat()}
    distribution = await demo.call(
        "POST", "/v1/distributions", json={"post_id": post["id"], "group_id": group["id"], "window": window}
    )
    console.print(
        f"  {imported['created'] + imported['updated']} accounts imported, "
        f"one picture ({media['width']}x{media['height']}), one distribution over {WINDOW_S} s"
    )
    return await _watch(demo, distribution["id"], total=len(account_ids), console=console)


async def _upload(demo: Demo) -> Any:
    form = aiohttp.FormData()
    content = await asyncio.to_thread(demo.picture.read_bytes)
    form.add_field("file", content, filename=demo.picture.name, content_type="image/jpeg")
    return await demo.call("POST", "/v1/media", data=form)


async def _watch(demo: Demo, distribution_id: str, *, total: int, console: Console) -> list[dict[str, Any]]:
    """Follow the distribution until every publication stands still: a bar on a terminal, plain lines elsewhere."""
    columns = (TextColumn("  ended"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("published", total=total)
        shown = 0
        async with asyncio.timeout(_ENDED_DEADLINE_S):
            while True:
                publications = await _publications(demo, distribution_id)
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
