"""Which metrics there are, for what, as data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ALWAYS = frozenset({"reach", "views", "shares", "total_interactions", "reposts"})
_RESPONSES = frozenset({"likes", "comments", "saved"})
_PROFILE = frozenset({"follows", "profile_visits", "profile_activity"})

MEDIA_METRICS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "FEED": _ALWAYS | _RESPONSES | _PROFILE,
        "REELS": _ALWAYS
        | _RESPONSES
        | {"ig_reels_avg_watch_time", "ig_reels_video_view_total_time", "reels_skip_rate"},
        "STORY": _ALWAYS | _PROFILE | {"replies", "navigation", "link_clicks"},
    }
)
ACCOUNT_METRICS = frozenset(
    {
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
        "follows_and_unfollows",
        "profile_links_taps",
    }
)
TIME_SERIES_METRICS = frozenset({"reach"})
DEMOGRAPHICS = frozenset({"follower_demographics", "engaged_audience_demographics"})
TIMEFRAMES = frozenset({"this_week", "this_month"})

# What a metric can be broken down by, and the parts.
BREAKDOWNS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "profile_activity": {"action_type": ("BIO_LINK_CLICKED", "CALL", "DIRECTION", "EMAIL", "OTHER", "TEXT")},
        "navigation": {
            "story_navigation_action_type": ("SWIPE_FORWARD", "TAP_BACK", "TAP_EXIT", "TAP_FORWARD"),
        },
    }
)
PEOPLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "age": ("18-24", "25-34", "35-44", "45-54"),
        "city": ("Berlin, Berlin", "London, England", "Paris, Île-de-France"),
        "country": ("DE", "FR", "GB", "US"),
        "gender": ("F", "M", "U"),
    }
)
