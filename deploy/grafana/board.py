"""A board: rows of panels, placed from left to right on a grid 24 units wide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.grafana.panel import Panel, text

COLUMNS = 24
ROW_HEIGHT = 1


@dataclass(frozen=True, kw_only=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A closed choice at the head of a board; `$name` in an expression, matched with `=~`."""

    name: str
    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A row's heading (`panel` is None) or a panel, where it stands; in grid units from the upper left corner."""

    title: str
    panel: Panel | None
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Board:
    """One dashboard. Its first panel says what it is; the others stand in rows."""

    name: str  # of the JSON file, and of the uid after `instadistro-`
    title: str
    about: str  # what is this, what is normal; Markdown
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()

    @property
    def uid(self) -> str:
        """What links to the board name it by."""
        return f"instadistro-{self.name}"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels with queries."""
        return tuple(panel for row in self.rows for panel in row.panels)

    def place(self) -> Iterator[Placed]:
        """Headings and panels from top to bottom, each where it stands."""
        about = text("What is this, and what is normal?", self.about)
        yield Placed(title=about.title, panel=about, x=0, y=0, width=COLUMNS, height=about.height)
        top = about.height
        for row in self.rows:
            yield Placed(title=row.title, panel=None, x=0, y=top, width=COLUMNS, height=ROW_HEIGHT)
            top += ROW_HEIGHT
            left = 0
            for panel in row.panels:
                yield Placed(title=panel.title, panel=panel, x=left, y=top, width=panel.width, height=panel.height)
                left += panel.width
            top += max(panel.height for panel in row.panels)
