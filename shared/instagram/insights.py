"""What the platform measures of media and accounts: the names as data, the numbers as it says them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from shared.instagram.results import Json, UnusableAnswerError

#: Every metric that was asked for; None where the platform has no number, which is not 0.
Insights = Mapping[str, int | float | None]


class MediaProduct(StrEnum):
    """Where a medium lives. One metric that its product does not have fails a whole call."""

    FEED = "FEED"
    REELS = "REELS"
    STORY = "STORY"


# Beyond it nothing is counted; NaN and infinity, which JSON is read to hold, are not within it either.
_MOST = 2**63

_EVERYWHERE = ("reach", "views", "shares", "total_interactions", "reposts")
_LASTING = ("likes", "comments", "saved")
_PROFILE = ("follows", "profile_visits", "profile_activity")

MEDIA_METRICS: Mapping[MediaProduct, tuple[str, ...]] = MappingProxyType(
    {
        MediaProduct.FEED: (*_EVERYWHERE, *_LASTING, *_PROFILE),
        MediaProduct.REELS: (
            *_EVERYWHERE,
            *_LASTING,
            "ig_reels_avg_watch_time",
            "ig_reels_video_view_total_time",
            "reels_skip_rate",
        ),
        MediaProduct.STORY: (*_EVERYWHERE, *_PROFILE, "replies", "navigation", "link_clicks"),
    }
)

ACCOUNT_METRICS: tuple[str, ...] = (
    "reach",
    "views",
    "accounts_engaged",
    "total_interactions",
    "likes",
    "comments",
    "saves",
    "shares",
    "replies",
    "reposts",
    "profile_links_taps",
)


def no_insights(metrics: Iterable[str]) -> Insights:
    """The metrics without a number."""
    return dict.fromkeys(metrics)


def read_insights(body: Json, metrics: Iterable[str]) -> Insights:
    """The numbers of `metrics`, whichever of the platform's two shapes each comes in.

    Raises:
        UnusableAnswerError: there is no list of metrics, not even an empty one.
    """
    data = body.get("data")
    if not isinstance(data, list):
        raise UnusableAnswerError("the list of metrics is missing")
    said = {str(item.get("name")): _value(item) for item in data if isinstance(item, dict)}
    return {metric: said.get(metric) for metric in metrics}


def _value(item: Json) -> int | float | None:
    holder = item.get("total_value")
    values = item.get("values")
    if holder is None and isinstance(values, list) and values:
        holder = values[0]
    value = holder.get("value") if isinstance(holder, dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if -_MOST < value < _MOST else None
