"""A thousand accounts due in the same second, over a platform that takes 300 ms to answer."""

from __future__ import annotations

import math

from benchmarks.bench import UNITS, Bench
from benchmarks.publishing.ground import stage
from benchmarks.rows import Row, row
from benchmarks.subjects import INSTADISTRO

_ACCOUNTS = 1_000
_LATENCY_S = 0.3
_SLOTS = 64  # of a publisher, by default


async def burst(bench: Bench) -> list[Row]:
    """Seconds until the last one is live, beside what the platform's latency alone makes of so many slots."""
    count = bench.scaled(_ACCOUNTS)
    bench.report.begin("burst", trials=bench.runs)
    figures: dict[str, list[float]] = {name: [] for name in ("burst_s", "latency_s", "burst_ratio")}
    for _ in range(bench.runs):
        async with stage(bench.servers) as running:
            done = await running.burst(count, latency_s=_LATENCY_S)
        least = math.ceil(count / _SLOTS) * done.calls * _LATENCY_S
        for name, value in (("burst_s", done.seconds), ("latency_s", least), ("burst_ratio", done.seconds / least)):
            figures[name].append(value)
        bench.report.tell(", ".join(f"{name} {values[-1]:.2f} {UNITS[name]}" for name, values in figures.items()))
    return [row("burst", INSTADISTRO, name, UNITS[name], values) for name, values in figures.items()]
