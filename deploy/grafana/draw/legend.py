"""The names below a chart, each with its newest value."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.grafana.draw.frame import Room
from deploy.grafana.draw.prometheus import Series
from deploy.grafana.draw.svg import SOFT, box, label, shorten, text_width
from deploy.grafana.draw.units import write
from deploy.grafana.panel import Panel

_SIZE = 10.5
_LINE = 16
_LINES = 2
_MARK = 16
_SPACE = 6
_GAP = 16
_WIDEST = 200.0
_ROOM_FOR_REST = 30  # "+12"


def legend_height(panel: Panel, series: list[Series], width: float) -> float:
    """How much room the names take below the chart."""
    return _LINE * len(_lines(panel, series, width)[0]) + 2


def draw_legend(panel: Panel, series: list[Series], tint: dict[str, str], room: Room, *, y: float) -> Iterator[str]:
    """The names in at most two lines; of more it says how many."""
    lines, left_out = _lines(panel, series, room.width)
    x = room.x
    for line in lines:
        x = room.x
        for each in line:
            name, value = _words(panel, each)
            yield box(x, y - 6, 10, 4, fill=tint[each.name], round_by=2)
            yield label(x + _MARK, y, name, size=_SIZE, fill=SOFT, then=value)
            x += _width(panel, each)
        y += _LINE
    if left_out:
        yield label(room.right, y - _LINE, f"+{left_out}", size=_SIZE, fill=SOFT, at="end")


def _words(panel: Panel, series: Series) -> tuple[str, str]:
    return shorten(series.name, _WIDEST, _SIZE), write(series.last, panel.unit)


def _width(panel: Panel, series: Series) -> float:
    return _MARK + sum(text_width(words, _SIZE) for words in _words(panel, series)) + _SPACE + _GAP


def _lines(panel: Panel, series: list[Series], width: float) -> tuple[list[list[Series]], int]:
    lines: list[list[Series]] = [[]]
    used = 0.0
    for index, each in enumerate(series):
        wide = _width(panel, each)
        room = width - (_ROOM_FOR_REST if len(lines) == _LINES else 0)
        if used + wide > room + _GAP and lines[-1]:
            if len(lines) == _LINES:
                return lines, len(series) - index
            lines.append([])
            used = 0.0
        lines[-1].append(each)
        used += wide
    return lines, 0
