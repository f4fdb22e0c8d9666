"""The frame of a panel: its title, its normal range, and the room inside."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.grafana.colours import OF_SERIES
from deploy.grafana.draw.svg import FAINT, SOFT, WHITE, box, label, shorten
from deploy.grafana.panel import Panel

_PAD = 12
_TITLE_Y = 21
_NORMAL_Y = 37
_HEAD = 46
# For names that have no colour of their own; the same name has the same colour on every board.
_PALETTE = (
    "#3274D9", "#A352CC", "#3AA6A6", "#B8860B", "#C0527A", "#5B5FC7",
    "#8AB8FF", "#D98A5B", "#4C6A92", "#9A9A4A", "#9C7BB5", "#7A8FA6",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Room:
    """A rectangle of the picture, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height


def frame(panel: Panel, room: Room, *, fill: str = WHITE, border: str = FAINT) -> tuple[list[str], Room]:
    """The frame of a panel, and what room it leaves."""
    wide = room.width - 2 * _PAD
    shapes = [
        box(room.x, room.y, room.width, room.height, fill=fill, border=border, round_by=6),
        label(room.x + _PAD, room.y + _TITLE_Y, shorten(panel.title, wide, 13), size=13, bold=True),
    ]
    if panel.words:
        normal = shorten(f"Normal: {panel.words['normal']}".replace("`", ""), wide, 10.5)
        shapes.append(label(room.x + _PAD, room.y + _NORMAL_Y, normal, size=10.5, fill=SOFT))
    return shapes, Room(x=room.x + _PAD, y=room.y + _HEAD, width=wide, height=room.height - _HEAD - _PAD)


def nothing(room: Room) -> list[str]:
    """What stands where Prometheus has no value."""
    return [label(room.x + room.width / 2, room.y + room.height / 2 + 4, "no data", size=13, fill=SOFT, at="middle")]


def colours(names: list[str]) -> dict[str, str]:
    """A colour for each name, of one panel; two names share one only where there are more than colours."""
    chosen: dict[str, str] = {}
    for name in sorted(set(names), key=lambda name: (name not in OF_SERIES, name)):
        free = [colour for colour in _PALETTE if colour not in chosen.values()] or list(_PALETTE)
        wanted = _PALETTE[sum(name.encode()) % len(_PALETTE)]
        chosen[name] = OF_SERIES.get(name) or (wanted if wanted in free else free[0])
    return chosen
