"""Paragraphs of the little Markdown that boards use: bold, italic, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from deploy.grafana.draw.frame import Room
from deploy.grafana.draw.svg import INK, text_width

_SIZE = 13.0
_LINE = 19
_BETWEEN = 4
_MARKED = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|\*(?P<italic>[^*]+)\*|`(?P<code>[^`]+)`|(?P<plain>[^*`]+)")
_STYLES = {"bold": ' font-weight="600"', "italic": ' font-style="italic"', "code": ' font-family="monospace"'}
_WIDER = 1.08  # bold letters


@dataclass(frozen=True, kw_only=True)
class _Word:
    """A word, or a part of one that is set in a style of its own."""

    text: str
    style: str
    apart: bool  # a space stands before it

    @property
    def width(self) -> float:
        return text_width(f" {self.text}" if self.apart else self.text, _SIZE) * (_WIDER if self.style == "bold" else 1)


def draw_words(content: str, room: Room) -> Iterator[str]:
    """The paragraphs, broken into lines."""
    y = room.y + _BETWEEN
    for paragraph in content.split("\n\n"):
        for line in _lines(paragraph, room.width):
            spans = "".join(
                f"<tspan{_STYLES.get(word.style, '')}>{' ' if word.apart else ''}{escape(word.text)}</tspan>"
                for word in line
            )
            yield f'<text x="{room.x:.1f}" y="{y:.1f}" font-size="{_SIZE:g}" fill="{INK}">{spans}</text>'
            y += _LINE
        y += _BETWEEN


def _lines(paragraph: str, width: float) -> Iterator[list[_Word]]:
    line: list[_Word] = []
    for word in _words(paragraph):
        if line and word.apart and sum(each.width for each in line) + word.width > width:
            yield line
            line = []
        line.append(word)
    yield line


def _words(paragraph: str) -> Iterator[_Word]:
    for piece in _MARKED.finditer(paragraph):
        style = piece.lastgroup or "plain"
        for found in re.finditer(r"(\s*)(\S+)", piece[style]):
            yield _Word(text=found[2], style=style, apart=bool(found[1]))
        if piece[style][-1].isspace():
            yield _Word(text="", style=style, apart=True)
