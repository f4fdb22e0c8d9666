"""Panels of single values: numbers, bars, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deploy.grafana.colours import GREY
from deploy.grafana.draw.frame import Room, colours, nothing
from deploy.grafana.draw.prometheus import Series, Window
from deploy.grafana.draw.svg import FAINT, INK, SOFT, area, box, label, shorten, stroke, text_width
from deploy.grafana.draw.units import write
from deploy.grafana.panel import Panel

_NUMBER = 28
_ROW = 24
_TALLEST = 38
_BAR = 14
_LABELS = ("severity", "alertname")  # the columns that come first


def stat_colour(panel: Panel, series: list[Series]) -> str:
    """The colour of the number's limits; grey without a number."""
    return panel.limits.colour(series[0].last) if series and panel.limits else GREY


def draw_stat(panel: Panel, series: list[Series], window: Window, room: Room) -> list[str]:
    """The newest value, and its course as a faint line beside it."""
    if not series:
        return nothing(room)
    words = write(series[0].last, panel.unit)
    taken = max(room.width * 0.45, text_width(words, _NUMBER) + 12)
    beside = Room(x=room.x + taken, y=room.y + 4, width=room.width - taken, height=room.height - 4)
    number = label(room.x, room.bottom + 2, words, size=_NUMBER, fill=INK, bold=True)
    return [*_spark(series[0], window, beside, stat_colour(panel, series)), number]


def _spark(series: Series, window: Window, room: Room, colour: str) -> Iterator[str]:
    highest = series.highest
    if len(series.points) < 2 or highest <= 0 or room.width < _NUMBER:  # noqa: PLR2004 - a line has two ends
        return
    span = window.end - window.start
    line = [
        (room.x + room.width * (at - window.start) / span, room.bottom - room.height * max(value, 0) / highest)
        for at, value in series.points
    ]
    yield area([(line[0][0], room.bottom), *line, (line[-1][0], room.bottom)], colour=colour, strength=0.15)
    yield stroke(line, colour=colour, width=1.2, faint=0.7)


def draw_bars(panel: Panel, series: list[Series], room: Room) -> list[str]:
    """A bar a series, named on its left, with its value on its right."""
    if not series:
        return nothing(room)
    rows = sorted(series, key=lambda each: _order(panel, each))[: int(room.height / _ROW)]
    high = min(room.height / len(rows), _TALLEST)
    tint = colours([each.name for each in rows])
    values = [write(each.last, panel.unit) for each in rows]
    named = max(text_width(each.name, 12) for each in rows) + 10
    valued = max(text_width(value, 12) for value in values) + 10
    full = panel.highest or max(*(each.last for each in rows), 1.0)
    track = room.width - named - valued
    shapes = []
    for number, (each, value) in enumerate(zip(rows, values, strict=True)):
        y = room.y + number * high + (high - _BAR) / 2
        colour = panel.limits.colour(each.last) if panel.limits else tint[each.name]
        filled = track * min(max(each.last / full, 0), 1)
        shapes += [
            label(room.x, y + 11, each.name, size=12, fill=SOFT),
            box(room.x + named, y, track, _BAR, fill=FAINT, round_by=3),
            box(room.x + named, y, filled, _BAR, fill=colour, round_by=3),
            label(room.right, y + 11, value, size=12, bold=True, at="end"),
        ]
    return shapes


def draw_table(series: list[Series], room: Room) -> list[str]:
    """One line a series, one column a label."""
    if not series:
        return nothing(room)
    found = {name for each in series for name in each.labels}
    columns = [*(name for name in _LABELS if name in found), *sorted(found.difference(_LABELS))]
    wide = room.width / len(columns)
    shapes = [
        label(room.x + wide * number, room.y + 12, column, size=11, fill=SOFT) for number, column in enumerate(columns)
    ]
    shapes.append(stroke([(room.x, room.y + 20), (room.right, room.y + 20)], colour=FAINT, width=1))
    for line, each in enumerate(series[: int((room.height - _ROW) / _ROW)]):
        y = room.y + 37 + line * _ROW
        shapes += [
            label(room.x + wide * number, y, shorten(each.labels.get(column, ""), wide - 8, 12), size=12)
            for number, column in enumerate(columns)
        ]
    return shapes


def _order(panel: Panel, series: Series) -> tuple[int, list[int], str]:
    """As the panel lists its names, else by the numbers in them, else by name."""
    known = panel.series.index(series.name) if series.name in panel.series else len(panel.series)
    return known, [int(number) for number in re.findall(r"\d+", series.name)], series.name
