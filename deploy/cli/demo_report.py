"""The demo's figures: what the system says, checked against the emulator's own count."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from deploy.cli.demo_run import Ran, key_of

_STORY = "STORY"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One run in numbers. Lateness is from due to live, by the emulator's clock on the same machine."""

    expected: int
    published: int  # as the API says
    failed: int  # ended or held otherwise
    live: int  # of posts and accounts: the emulator shows this post on this account
    duplicates: int  # what the emulator shows beyond one of each
    lateness_p50_s: float
    lateness_p95_s: float
    total_s: float

    @property
    def proven(self) -> bool:
        """Every publication is live exactly once, and the system says so."""
        return self.published == self.live == self.expected > 0 and self.duplicates == 0


async def read_figures(
    http: aiohttp.ClientSession,
    emulator_url: str,
    caption: str,
    ran: Ran,
    *,
    began: float,
) -> Figures:
    """Compare what the API says with what is live.

    Args:
        http: an open session.
        emulator_url: the emulator that stood in for the platform.
        caption: unique to this run, so that earlier runs do not count.
        ran: what the demo published.
        began: `time.monotonic()` at the start of the run.
    """
    async with http.get(f"{emulator_url}/_emulator/media") as answer:
        live = [post for post in await answer.json() if _is_ours(post, caption, ran)]
    each = {(post["ig_user_id"], post["media_type"], post["media_product_type"]) for post in live}
    live_at = {post["id"]: datetime.fromisoformat(post["timestamp"]) for post in live}
    lateness = [
        (live_at[publication.media_id] - publication.publish_at).total_seconds()
        for publication in ran.publications
        if publication.media_id in live_at
    ]
    published = sum(publication.state == "published" for publication in ran.publications)
    return Figures(
        expected=len(ran.publications),
        published=published,
        failed=len(ran.publications) - published,
        live=len(each),
        duplicates=len(live) - len(each),
        lateness_p50_s=_percentile(lateness, 50),
        lateness_p95_s=_percentile(lateness, 95),
        total_s=time.monotonic() - began,
    )


def _is_ours(post: dict[str, Any], caption: str, ran: Ran) -> bool:
    """Whether this run published it. A story has no caption; it shows a file that was uploaded for this run."""
    return post["caption"] == caption or (
        post["media_product_type"] == _STORY and key_of(post["image_url"]) in ran.media_keys
    )


def _percentile(values: list[float], percent: int) -> float:
    if len(values) < 2:  # noqa: PLR2004 - one value is every percentile of itself
        return values[0] if values else float("nan")
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def show_figures(figures: Figures, console: Console) -> None:
    """Print the table and the verdict."""
    table = Table("figure", "value")
    for name, value in (
        ("published", f"{figures.published} of {figures.expected}"),
        ("failed", str(figures.failed)),
        ("live at the emulator", f"{figures.live} posts"),
        ("duplicates, by the emulator's count", str(figures.duplicates)),
        ("lateness p50", f"{figures.lateness_p50_s:.2f} s"),
        ("lateness p95", f"{figures.lateness_p95_s:.2f} s"),
        ("total time", f"{figures.total_s:.1f} s"),
    ):
        table.add_row(name, value)
    console.print(table)
    verdict = "live exactly once" if figures.proven else "NOT live exactly once: see the log"
    console.print(f"  {figures.live} of {figures.expected} {verdict}")
