"""Values as Grafana writes them."""

from __future__ import annotations

from deploy.grafana.panel import Unit

_TIMES = ((86_400, "day"), (3_600, "hour"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))
_SHORT = ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K"))
_BYTES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_COUNTED = {"day", "hour", "min"}
_SUFFIXES = {"reqps": " req/s", "ops": " ops/s", "cpm": " c/m"}
_DIGITS = 3


def write(value: float, unit: Unit) -> str:
    """`value` for people, with three digits that count."""
    if value < 0:
        return f"-{write(-value, unit)}"
    if unit == "s":
        return _scaled(value, _TIMES, " s", gap=" ")
    if unit == "bytes":
        return _scaled(value, _BYTES, " B", gap=" ")
    if unit in {"percentunit", "percent"}:
        return f"{_digits(value * (100 if unit == 'percentunit' else 1))}%"
    return _scaled(value, _SHORT, "", gap="") + _SUFFIXES.get(unit, "")


def _scaled(value: float, scales: tuple[tuple[float, str], ...], otherwise: str, *, gap: str) -> str:
    for scale, name in scales:
        if value >= scale * 0.9995:
            digits = _digits(value / scale)
            return f"{digits}{gap}{name}{'s' if name in _COUNTED and digits != '1' else ''}"
    return f"{_digits(value)}{otherwise}"


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    whole = len(str(int(value))) if value >= 1 else 0
    text = f"{value:.{max(_DIGITS - whole, 0)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
