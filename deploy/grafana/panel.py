"""The kinds of panel that the boards use, each with the words that an operator reads at night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict, Unpack

from deploy.grafana.colours import BLUE, GREEN, ORANGE, RED

Kind = Literal["stat", "timeseries", "bargauge", "table", "text"]
Unit = Literal["none", "short", "s", "percentunit", "percent", "bytes", "reqps", "ops", "cpm"]
STAT_HEIGHT = 3
CHART_HEIGHT = 8


@dataclass(frozen=True, kw_only=True)
class Query:
    """One expression and the name of its series."""

    expr: str
    legend: str  # Grafana's pattern: `{{label}}` stands for the label's value


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From which values on a panel has which colour; `steps` rise, and `lowest` is the colour below the first."""

    lowest: str
    steps: tuple[tuple[float, str], ...]

    def colour(self, value: float) -> str:
        """The colour of `value`."""
        return next((colour for limit, colour in reversed(self.steps) if value >= limit), self.lowest)


PLAIN = Limits(lowest=BLUE, steps=())  # a figure that is neither good nor bad


def rising(*, orange: float | None = None, red: float | None = None) -> Limits:
    """Green, and from these values on orange or red: for what should be low."""
    steps = ((orange, ORANGE), (red, RED))
    return Limits(lowest=GREEN, steps=tuple((limit, colour) for limit, colour in steps if limit is not None))


def falling(*, red: float, green: float) -> Limits:
    """Red below `red`, orange below `green`, and green from there on: for what should be high."""
    return Limits(lowest=RED, steps=((red, ORANGE), (green, GREEN)))


class Words(TypedDict):
    """What a panel tells its reader."""

    shows: str
    normal: str
    otherwise: str  # what to do when it is not normal
    alerts: NotRequired[tuple[str, ...]]  # those that watch the same; each has a page in docs/runbooks


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel, in grid units of Grafana: 24 wide, 30 pixels high. Made by the functions below."""

    kind: Kind
    title: str
    width: int
    height: int
    words: Words | None = None  # only text has none
    queries: tuple[Query, ...] = ()
    unit: Unit = "none"
    limits: Limits | None = None
    series: tuple[str, ...] = ()  # names with a colour of their own; see colours.OF_SERIES
    stacked: bool = False
    instant: bool = False  # one value now, not a course over time
    highest: float | None = None  # the end of the scale; None: as the data need it
    content: str = ""  # of text, in Markdown


def stat(
    title: str, expr: str, *, unit: Unit, limits: Limits, width: int = 4, instant: bool = False, **words: Unpack[Words]
) -> Panel:
    """One number in the colour of its limits. `instant` for what is counted over `$__range`."""
    return Panel(
        kind="stat",
        title=title,
        width=width,
        height=STAT_HEIGHT,
        words=words,
        queries=(Query(expr=expr, legend=title),),
        unit=unit,
        limits=limits,
        instant=instant,
    )


def lines(
    title: str,
    *queries: Query,
    unit: Unit,
    width: int = 8,
    limits: Limits | None = None,
    series: tuple[str, ...] = (),
    stacked: bool = False,
    highest: float | None = None,
    **words: Unpack[Words],
) -> Panel:
    """The course of some series over time; limits are drawn as dashed lines."""
    return Panel(
        kind="timeseries",
        title=title,
        width=width,
        height=CHART_HEIGHT,
        words=words,
        queries=queries,
        unit=unit,
        limits=limits,
        series=series,
        stacked=stacked,
        highest=highest,
    )


def bars(
    title: str,
    query: Query,
    *,
    unit: Unit,
    width: int = 8,
    limits: Limits | None = None,
    series: tuple[str, ...] = (),
    highest: float | None = None,
    **words: Unpack[Words],
) -> Panel:
    """The newest value of each series as a bar."""
    return Panel(
        kind="bargauge",
        title=title,
        width=width,
        height=CHART_HEIGHT,
        words=words,
        queries=(query,),
        unit=unit,
        limits=limits,
        series=series,
        instant=True,
        highest=highest,
    )


def table(title: str, expr: str, *, width: int = 8, **words: Unpack[Words]) -> Panel:
    """One row a series, one column a label."""
    return Panel(
        kind="table",
        title=title,
        width=width,
        height=CHART_HEIGHT,
        words=words,
        queries=(Query(expr=expr, legend=""),),
        instant=True,
    )


def text(title: str, content: str, *, height: int = 3) -> Panel:
    """Words over the whole width."""
    return Panel(kind="text", title=title, width=24, height=height, content=content)


def percentiles(histogram: str, *, by: str = "") -> tuple[Query, ...]:
    """p50, p95 and p99 of a histogram; `by` is a matcher such as `{type="post:publish"}`."""
    return percentiles_of(f"rate({histogram}_bucket{by}[$__rate_interval])")


def percentiles_of(buckets: str) -> tuple[Query, ...]:
    """p50, p95 and p99 of the rates of a histogram's buckets, such as those that a rule records."""
    return tuple(
        Query(expr=f"histogram_quantile({share}, sum by (le) ({buckets}))", legend=f"p{round(share * 100)}")
        for share in (0.5, 0.95, 0.99)
    )


def percentile_by(label: str, histogram: str, *, matcher: str = "") -> Query:
    """The 95th percentile of a histogram for each value of a label."""
    rate = f"sum by (le, {label}) (rate({histogram}_bucket{matcher}[$__rate_interval]))"
    return Query(expr=f"histogram_quantile(0.95, {rate})", legend=f"{{{{{label}}}}}")


def rate_by(label: str, counter: str, *, matcher: str = "", per_minute: bool = False) -> Query:
    """How often a counter rises, for each value of a label, a second or a minute."""
    expr = f"sum by ({label}) (rate({counter}{matcher}[$__rate_interval]))"
    return Query(expr=f"60 * {expr}" if per_minute else expr, legend=f"{{{{{label}}}}}")
