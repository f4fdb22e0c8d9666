"""Figures of posts and accounts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from deploy.emulator.call import Call
from deploy.emulator.error_table import INVALID_PARAMETER, PERMISSION_MISSING
from deploy.emulator.errors import GraphError
from deploy.emulator.figures import figure, is_told
from deploy.emulator.metrics import (
    ACCOUNT_METRICS,
    BREAKDOWNS,
    DEMOGRAPHICS,
    MEDIA_METRICS,
    PEOPLE,
    TIME_SERIES_METRICS,
    TIMEFRAMES,
)
from deploy.emulator.reads import own_media
from deploy.emulator.state import WINDOW

_VIEWERS_MIN = 5
_FOLLOWERS_MIN = 100
_ACCOUNT_FIGURES_KEPT = timedelta(days=90)
_NEED_FOLLOWERS = DEMOGRAPHICS | {"follows_and_unfollows"}
_UNIX_DIGITS = 10


async def media_insights(call: Call) -> dict[str, Any]:
    """GET /{media-id}/insights. One metric that the post does not have fails the whole call; a young post has none.

    Raises:
        GraphError: no such post, an item of a carousel, an unsupported metric, or a story that too few people saw.
    """
    media, now = own_media(call), call.now()
    if media.format.is_item:
        raise _refused("Insights are not available for the items of a carousel")
    names = _metrics(call, MEDIA_METRICS[media.format.product], what=f"the media product type {media.format.product}")
    breakdown = call.params.get("breakdown")
    for name in names:
        if breakdown and breakdown not in BREAKDOWNS.get(name, {}):
            raise _refused(f"Param breakdown: {breakdown} is not supported for {name}")
    is_story = media.format.product == "STORY"
    if is_story and call.options.story_viewers < _VIEWERS_MIN:
        raise GraphError(PERMISSION_MISSING, "(#10) Not enough viewers for the media to show insights")
    is_over = is_story and now >= media.published_at + WINDOW
    if is_over or not is_told(media, call.options, now):
        return {"data": []}
    return {"data": [_of_media(media.id, name, breakdown) for name in names]}


def _of_media(media_id: str, name: str, breakdown: str | None) -> dict[str, Any]:
    item = _item(media_id, name, period="lifetime")
    if breakdown:
        return item | {"total_value": _broken_down(media_id, name, breakdown, BREAKDOWNS[name][breakdown])}
    return item | {"values": [{"value": figure(media_id, name)}]}


async def account_insights(call: Call) -> dict[str, Any]:
    """GET /{ig-user-id}/insights.

    Raises:
        GraphError: another account's id, an unsupported metric, or a period, type or time that does not go with it.
    """
    call.require_own_account()
    names = _metrics(call, ACCOUNT_METRICS | DEMOGRAPHICS, what="this account")
    since, until = _times(call)
    has_followers = figure(call.account.ig_user_id, "followers") >= _FOLLOWERS_MIN
    shown = [_of_account(call, name, since, until) for name in names]
    return {"data": [item for item in shown if has_followers or item["name"] not in _NEED_FOLLOWERS]}


def _of_account(call: Call, name: str, since: datetime, until: datetime) -> dict[str, Any]:
    account_id, params = call.account.ig_user_id, call.params
    is_demographic = name in DEMOGRAPHICS
    period = "lifetime" if is_demographic else "day"
    if params.get("period") != period:
        raise _refused(f"Param period must be {period} for {name}")
    item = _item(account_id, name, period=period)
    if is_demographic:
        breakdown = params.get("breakdown", "")
        if params.get("timeframe") not in TIMEFRAMES or breakdown not in PEOPLE:
            raise _refused(f"{name} needs timeframe ({', '.join(TIMEFRAMES)}) and breakdown ({', '.join(PEOPLE)})")
        return item | {"total_value": _broken_down(account_id, name, breakdown, PEOPLE[breakdown])}
    days = [until - timedelta(days=back) for back in range(max(1, (until - since).days))][::-1]
    values = [{"value": figure(f"{account_id}/{day:%Y-%m-%d}", name), "end_time": _iso(day)} for day in days]
    kind = params.get("metric_type", "time_series" if name in TIME_SERIES_METRICS else "")
    if kind == "time_series" and name in TIME_SERIES_METRICS:
        return item | {"values": values}
    if kind != "total_value":
        raise _refused(f"{name} needs metric_type=total_value")
    return item | {"total_value": {"value": sum(int(str(each["value"])) for each in values)}}


def _metrics(call: Call, known: frozenset[str], *, what: str) -> list[str]:
    names = [name.strip() for name in call.required("metric").split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise _refused(f"The metric {name} is not supported for {what}")
    return names


def _times(call: Call) -> tuple[datetime, datetime]:
    now = call.now()
    until = _moment(call, "until") or now
    since = _moment(call, "since") or until - timedelta(days=1)
    if not now - _ACCOUNT_FIGURES_KEPT <= since <= until <= now + timedelta(days=1):
        raise _refused("since must be before until, and of the last 90 days")
    return since, until


def _moment(call: Call, name: str) -> datetime | None:
    text = call.params.get(name)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > _UNIX_DIGITS:
        raise _refused(f"Param {name} must be a UNIX timestamp")
    return datetime.fromtimestamp(int(text), tz=call.now().tzinfo)


def _item(any_id: str, name: str, *, period: str) -> dict[str, Any]:
    title = name.replace("_", " ").capitalize()
    return {
        "name": name,
        "period": period,
        "title": title,
        "description": f"{title}, made up by the emulator.",
        "id": f"{any_id}/insights/{name}/{period}",
    }


def _broken_down(any_id: str, name: str, breakdown: str, parts: tuple[str, ...]) -> dict[str, Any]:
    results = [{"dimension_values": [part], "value": figure(any_id, f"{name}/{part}")} for part in parts]
    total = sum(int(str(result["value"])) for result in results)
    return {"value": total, "breakdowns": [{"dimension_keys": [breakdown], "results": results}]}


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+0000")


def _refused(reason: str) -> GraphError:
    return GraphError(INVALID_PARAMETER, f"(#100) {reason}")
