"""Where the marks of an axis stand."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from deploy.grafana.panel import Unit

_MARKS = 4
_ROUND = (1, 2, 2.5, 5, 10)
_TIME_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
_SHORT_S = 60
_DAY_S = 86_400.0


def value_marks(highest: float, unit: Unit) -> list[float]:
    """From 0 to the first mark that is not below `highest`."""
    if highest <= 0:
        return [0.0, 1.0]
    step = _value_step(highest / _MARKS, unit)
    return [step * number for number in range(math.ceil(highest / step - 1e-9) + 1)]


def time_marks(start: float, end: float, *, most: int) -> list[tuple[float, str]]:
    """Round times from `start` to `end`, `most` at most, with their names in UTC."""
    step = next((each for each in _TIME_STEPS_S if (end - start) / each <= most), _TIME_STEPS_S[-1])
    form = "%H:%M:%S" if step < _SHORT_S else "%H:%M" if end - start <= _TIME_STEPS_S[-1] else "%d %b"
    first = math.ceil(start / step) * step
    return [
        (at, datetime.fromtimestamp(at, tz=UTC).strftime(form))
        for at in (first + step * n for n in range(most + 1))
        if at <= end
    ]


def _value_step(rough: float, unit: Unit) -> float:
    if unit == "s" and 1 < rough <= _DAY_S:
        return next(float(each) for each in (2, *_TIME_STEPS_S) if each >= rough)
    base = _DAY_S if unit == "s" and rough > _DAY_S else 1.0
    if unit == "bytes":
        base = 1024.0 ** max(math.floor(math.log(rough, 1024)), 0)
    size: float = 10.0 ** math.floor(math.log10(rough / base))
    return next(each * size * base for each in _ROUND if each * size * base >= rough * (1 - 1e-9))
