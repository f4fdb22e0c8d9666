"""Made-up figures of reach and response: the same for the same post after every restart, and in proportion."""

from __future__ import annotations

from datetime import datetime, timedelta
from zlib import crc32

from deploy.emulator.options import Options
from deploy.emulator.state import Media

# The largest value of a metric; the smallest is a tenth of it. What is not here goes up to 100.
_LARGEST = {
    "reach": 4_000,
    "views": 9_000,
    "total_interactions": 600,
    "accounts_engaged": 500,
    "likes": 450,
    "comments": 40,
    "saved": 60,
    "saves": 60,
    "followers": 20_000,
    "ig_reels_avg_watch_time": 9_000,  # ms
    "ig_reels_video_view_total_time": 60_000_000,  # ms
}


def figure(any_id: str, metric: str) -> int:
    """A metric's value for a post, an account, or either with a day."""
    largest = _LARGEST.get(metric, 100)
    smallest = largest // 10
    return smallest + crc32(f"{any_id}/{metric}".encode()) % (largest - smallest)


def is_told(media: Media, options: Options, now: datetime) -> bool:
    """Whether a post is old enough for figures."""
    return now >= media.published_at + timedelta(seconds=options.insights_after_s)
