"""A whole board: head, rows, panels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from deploy.grafana.board import COLUMNS, Board, Placed
from deploy.grafana.draw.chart import draw_chart
from deploy.grafana.draw.figures import draw_bars, draw_stat, draw_table, stat_colour
from deploy.grafana.draw.frame import Room, frame
from deploy.grafana.draw.prometheus import Answers, Series, Window
from deploy.grafana.draw.svg import FAINT, INK, SOFT, WHITE, box, document, label, stroke, text_width, tint
from deploy.grafana.draw.words import draw_words
from deploy.grafana.panel import Panel

_WIDTH = 1440
_MARGIN = 20
_HEAD = 60
_CELL = 30  # the grid of Grafana: cells 30 pixels high, 8 apart
_GAP = 8


def draw_board(board: Board, answers: Answers, window: Window) -> str:
    """`board` as the text of an SVG picture."""
    placed = list(board.place())
    height = _HEAD + max(each.y + each.height for each in placed) * (_CELL + _GAP) + _MARGIN
    shapes = [*_head(board, window)]
    for each in placed:
        shapes += _draw(each, answers, window)
    return document(_WIDTH, height, shapes, title=f"InstaDistro: {board.title}")


def _head(board: Board, window: Window) -> Iterator[str]:
    start, end = (datetime.fromtimestamp(at, tz=UTC) for at in (window.start, window.end))
    yield label(_MARGIN, 38, f"InstaDistro / {board.title}", size=20, bold=True)
    times = f"{start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"
    yield label(_WIDTH - _MARGIN, 38, times, size=13, fill=SOFT, at="end")


def _draw(placed: Placed, answers: Answers, window: Window) -> Iterator[str]:
    room = _room(placed)
    panel = placed.panel
    if panel is None:
        yield from _heading(placed.title, room)
    elif panel.kind == "text":
        yield box(room.x, room.y, room.width, room.height, fill=WHITE, border=FAINT, round_by=6)
        yield label(room.x + 12, room.y + 21, panel.title, size=13, bold=True)
        yield from draw_words(
            panel.content, Room(x=room.x + 12, y=room.y + 38, width=room.width - 24, height=room.height - 44)
        )
    else:
        yield from _panel(panel, answers.get(panel.title, []), window, room)


def _heading(title: str, room: Room) -> Iterator[str]:
    y = room.y + 19
    yield label(room.x, y, title, size=14, fill=INK, bold=True)
    start = room.x + text_width(title, 14) + 16
    yield stroke([(start, y - 5), (room.right, y - 5)], colour=FAINT, width=1)


def _panel(panel: Panel, series: list[Series], window: Window, room: Room) -> Iterator[str]:
    if panel.kind == "stat":
        colour = stat_colour(panel, series)
        framed, inside = frame(panel, room, fill=tint(colour, 0.14), border=tint(colour, 0.45))
        yield from framed
        yield from draw_stat(panel, series, window, inside)
        return
    framed, inside = frame(panel, room)
    yield from framed
    if panel.kind == "bargauge":
        yield from draw_bars(panel, series, inside)
    elif panel.kind == "table":
        yield from draw_table(series, inside)
    else:
        yield from draw_chart(panel, series, window, inside)


def _room(placed: Placed) -> Room:
    column = (_WIDTH - 2 * _MARGIN + _GAP) / COLUMNS
    return Room(
        x=_MARGIN + placed.x * column,
        y=_HEAD + placed.y * (_CELL + _GAP),
        width=placed.width * column - _GAP,
        height=placed.height * (_CELL + _GAP) - _GAP,
    )
