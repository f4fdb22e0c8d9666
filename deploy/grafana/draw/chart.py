"""The course of series over time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from deploy.grafana.draw.frame import Room, colours, nothing
from deploy.grafana.draw.legend import draw_legend, legend_height
from deploy.grafana.draw.prometheus import Series, Window
from deploy.grafana.draw.scale import time_marks, value_marks
from deploy.grafana.draw.svg import FAINT, SOFT, area, label, stroke, text_width
from deploy.grafana.draw.units import write
from deploy.grafana.panel import Panel

_AXIS = 10.5
_TIME_AXIS = 18
_ROOM_FOR_TIME = 64
_Course = list[tuple[float, float, float]]  # time, and from which to which value


def draw_chart(panel: Panel, series: list[Series], window: Window, room: Room) -> list[str]:
    """Axes, limits, series and legend."""
    if not series:
        return nothing(room)
    tint = colours([each.name for each in series])
    courses = list(_courses(series, window, stacked=panel.stacked))
    marks = value_marks(panel.highest or _top(panel, courses), panel.unit)
    names = [write(mark, panel.unit) for mark in marks]
    indent = max(text_width(name, _AXIS) for name in names) + 8
    below = _TIME_AXIS + legend_height(panel, series, room.width)
    plot = _Plot(
        room=Room(x=room.x + indent, y=room.y + 4, width=room.width - indent, height=room.height - below - 4),
        window=window,
        highest=marks[-1],
    )
    shapes = [*_axes(plot, list(zip(marks, names, strict=True))), *_limits(panel, plot)]
    for each, course in zip(series, courses, strict=True):
        shapes += _course(plot, course, tint[each.name], stacked=panel.stacked)
    return [*shapes, *draw_legend(panel, series, tint, room, y=plot.room.bottom + _TIME_AXIS + 14)]


def _top(panel: Panel, courses: list[_Course]) -> float:
    """The greatest value, or the first limit where values come near it or are all 0."""
    highest = max(top for course in courses for _, _, top in course)
    limit = panel.limits.steps[0][0] if panel.limits else 0.0
    return max(highest, limit) if highest <= 0 or highest > limit / 3 else highest


class _Plot:
    """From times and values to pixels."""

    def __init__(self, *, room: Room, window: Window, highest: float) -> None:
        self.room = room
        self.window = window
        self._highest = highest

    def x(self, at: float) -> float:
        span = self.window.end - self.window.start
        return self.room.x + self.room.width * (at - self.window.start) / span

    def y(self, value: float) -> float:
        share = min(max(value / self._highest, 0), 1)
        return self.room.bottom - self.room.height * share

    def shows(self, value: float) -> bool:
        return 0 < value <= self._highest


def _courses(series: list[Series], window: Window, *, stacked: bool) -> Iterator[_Course]:
    """What each series covers; of stacked ones each begins where the one before ends."""
    ground: dict[int, float] = {}
    for each in series:
        course = []
        for at, value in each.points:
            step = round((at - window.start) / window.step_s)
            low = ground.get(step, 0.0) if stacked else 0.0
            ground[step] = low + value
            course.append((at, low, low + value))
        yield course


def _axes(plot: _Plot, marks: list[tuple[float, str]]) -> Iterator[str]:
    room = plot.room
    for value, name in marks:
        y = plot.y(value)
        yield stroke([(room.x, y), (room.right, y)], colour=FAINT, width=1)
        yield label(room.x - 6, y + 3.5, name, size=_AXIS, fill=SOFT, at="end")
    most = max(int(room.width / _ROOM_FOR_TIME), 2)
    for at, name in time_marks(plot.window.start, plot.window.end, most=most):
        half = text_width(name, _AXIS) / 2
        if room.x <= plot.x(at) - half / 2 and plot.x(at) + half <= room.right + 6:
            yield label(plot.x(at), room.bottom + 15, name, size=_AXIS, fill=SOFT, at="middle")


def _limits(panel: Panel, plot: _Plot) -> Iterator[str]:
    for value, colour in panel.limits.steps if panel.limits else ():
        if plot.shows(value):
            y = plot.y(value)
            yield stroke([(plot.room.x, y), (plot.room.right, y)], colour=colour, width=1, dashes="6 4", faint=0.8)


def _course(plot: _Plot, course: _Course, colour: str, *, stacked: bool) -> Iterator[str]:
    for piece in _pieces(course, plot.window.step_s):
        top = [(plot.x(at), plot.y(high)) for at, _, high in piece]
        ground = [(plot.x(at), plot.y(low)) for at, low, _ in reversed(piece)]
        if stacked:
            yield area([*top, *ground], colour=colour, strength=0.6)
            continue
        yield stroke(top if len(top) > 1 else [(top[0][0] - 1, top[0][1]), *top], colour=colour)


def _pieces(course: _Course, step_s: float) -> Iterator[_Course]:
    """Parted where points are missing."""
    piece = [course[0]]
    for before, after in pairwise(course):
        if after[0] - before[0] > step_s * 1.5:
            yield piece
            piece = []
        piece.append(after)
    yield piece
