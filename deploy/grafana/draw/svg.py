"""The few shapes of SVG that the pictures use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final

INK: Final = "#1F2A37"
SOFT: Final = "#6B7684"
FAINT: Final = "#E3E8EE"
PAPER: Final = "#F4F6F8"
WHITE: Final = "#FFFFFF"
_FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
# Of the size of the letters. Rather too wide than too narrow: what is measured with it fits in any of the fonts.
_NARROW = frozenset("iljtfrI.,:;'|!()[] ")
_WIDE = frozenset("mwMW@%")


def document(width: int, height: int, shapes: Iterable[str], *, title: str) -> str:
    """The whole picture."""
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img" font-family="{_FONT}">\n<title>{escape(title)}</title>\n'
        f"{box(0, 0, width, height, fill=PAPER)}\n{body}\n</svg>\n"
    )


def box(
    x: float, y: float, width: float, height: float, *, fill: str, border: str = "none", round_by: float = 0
) -> str:
    """A rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" rx="{round_by:g}"'
        f' fill="{fill}" stroke="{border}"/>'
    )


def label(
    x: float,
    y: float,
    words: str,
    *,
    size: float,
    fill: str = INK,
    bold: bool = False,
    at: str = "start",
    then: str = "",
) -> str:
    """One line of text; `at` is which end of it stands at `x`: start, middle, end. `then` follows it in ink."""
    weight = ' font-weight="600"' if bold else ""
    anchor = f' text-anchor="{at}"' if at != "start" else ""
    more = f'<tspan dx="5" fill="{INK}">{escape(then)}</tspan>' if then else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{weight}{anchor}>{escape(words)}{more}</text>'
    )


def stroke(
    points: Iterable[tuple[float, float]], *, colour: str, width: float = 1.5, dashes: str = "", faint: float = 1
) -> str:
    """A line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    opacity = f' stroke-opacity="{faint:g}"' if faint < 1 else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"'
        f"{dashed}{opacity}/>"
    )


def area(points: Iterable[tuple[float, float]], *, colour: str, strength: float) -> str:
    """What lies within points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{path}" fill="{colour}" fill-opacity="{strength:g}"/>'


def tint(colour: str, share: float) -> str:
    """`colour` thinned with white: 0 is white, 1 the colour."""
    parts = (int(part, 16) for part in re.findall("[0-9A-Fa-f]{2}", colour))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02X}" for part in parts)


def text_width(words: str, size: float) -> float:
    """About how wide a line of text is, and never much wider."""
    return size * sum(
        0.36 if sign in _NARROW else 0.95 if sign in _WIDE else 0.73 if sign.isupper() else 0.62 for sign in words
    )


def shorten(words: str, width: float, size: float) -> str:
    """`words`, or as many of its letters as fit, and an ellipsis."""
    if text_width(words, size) <= width:
        return words
    while words and text_width(words + "…", size) > width:
        words = words[:-1]
    return words.rstrip(" ,.:;") + "…"
