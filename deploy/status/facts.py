"""What is told in one line a subject: requests, publications, dead jobs, the cache, the platform, accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deploy.status.summary import Cache, Summary
from deploy.status.words import UNKNOWN, age, number, share

_WRONG, _WARN = "red", "yellow"
_HIT_RATIO = 0.8
_ENOUGH_READS = 100
_APP_USAGE = 80.0


def facts(summary: Summary) -> Table:
    """A line a subject."""
    grid = Table.grid(padding=(0, 2))
    for name, text in _facts(summary):
        grid.add_row(Text(name, style="bold"), Text.from_markup(text))
    return grid


def _facts(summary: Summary) -> list[tuple[str, str]]:
    publications, cache, dead = summary.publications, summary.cache, summary.dead_jobs
    outbox, requests = summary.outbox, summary.requests
    parked = _each(dead.parked, none="none")
    return [
        ("requests", f"{number(requests.answered)} answered, {_wrong_if(requests.failed)} of them failed here"),
        ("outbox", f"{number(outbox.due)} due, the oldest for {age(outbox.oldest_s)}"),
        ("publications", f"{_each(publications.open)}; the oldest due for {age(publications.oldest_due_s)}"),
        ("ended", f"{_each(publications.ended, none='none')}; within 60 s of their time: {_on_time(summary)}"),
        ("dead jobs", f"{_wrong_if(dead.waiting)} wait (instadistro jobs dead); parked since start: {parked}"),
        ("cache", f"{_hits(summary)}{_away(cache.redis_away)}"),
        ("platform", _platform(summary)),
        ("alerts", _each(summary.alerts, none="none")),
        ("accounts", _each(summary.accounts, none="none")),
        ("tokens", _tokens(summary)),
    ]


def _each(values: Mapping[str, int] | None, *, none: str = UNKNOWN) -> str:
    if values is None:
        return UNKNOWN
    shown = ", ".join(f"{value:,} {escape(name)}" for name, value in values.items() if value)
    return shown or ("none" if values else none)


def _on_time(summary: Summary) -> str:
    ratio = summary.publications.on_time_ratio
    return "none yet" if ratio is None else share(ratio)


def _wrong_if(value: int | None) -> str:
    return f"[{_WRONG}]{value:,}[/]" if value else number(value)


def _hits(summary: Summary) -> str:
    if summary.requests.answered is None:  # no gateway told
        return UNKNOWN
    return f"{_ratio(summary.cache)} of {summary.cache.reads:,} reads were hits"


def _ratio(cache: Cache) -> str:
    if cache.hit_ratio is None:
        return "none"
    low = cache.reads >= _ENOUGH_READS and cache.hit_ratio < _HIT_RATIO
    return f"[{_WARN}]{share(cache.hit_ratio)}[/]" if low else share(cache.hit_ratio)


def _away(names: Sequence[str]) -> str:
    return f"; [{_WRONG}]without Redis: {escape(', '.join(names))}[/]" if names else ""


def _platform(summary: Summary) -> str:
    platform = summary.platform
    if platform.down is None:
        return UNKNOWN
    state = f"[{_WRONG}]counts as down[/]" if platform.down else "answers"
    usage = platform.app_usage_percent or 0.0
    used = f"{usage:.0f} % of the app's calls used"
    incidents = f"; [{_WRONG}]incidents: {escape(', '.join(platform.incidents))}[/]" if platform.incidents else ""
    return f"{state}, {f'[{_WARN}]{used}[/]' if usage > _APP_USAGE else used}{incidents}"


def _tokens(summary: Summary) -> str:
    if summary.tokens_ending is None:
        return UNKNOWN
    days = sorted(summary.tokens_ending.items(), key=lambda item: int(item[0]))
    ending = ", ".join(f"{value:,} within {day} d" for day, value in days)
    first = summary.first_token_ends_s
    return f"ending: {ending}; {'no end is known' if first is None else f'the first in {age(first)}'}"
