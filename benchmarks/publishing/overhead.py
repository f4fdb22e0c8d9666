"""What a publication costs beside the platform's own time: processor seconds, and publications a second."""

from __future__ import annotations

from benchmarks.bench import UNITS, Bench
from benchmarks.publishing.ground import stage
from benchmarks.rows import Row, row
from benchmarks.subjects import INSTADISTRO

_PUBLICATIONS = 1_000


async def overhead(bench: Bench) -> list[Row]:
    """One publisher process and a platform without latency: all that is left is our own work."""
    count = bench.scaled(_PUBLICATIONS)
    bench.report.begin("overhead", trials=bench.runs)
    figures: dict[str, list[float]] = {name: [] for name in ("publications_per_s", "cpu_publisher", "cpu_postgres")}
    for _ in range(bench.runs):
        async with stage(bench.servers) as running:
            burst = await running.burst(count, latency_s=0.0)
        figures["publications_per_s"].append(count / burst.seconds)
        figures["cpu_publisher"].append(1000 * burst.publisher_cpu_s / count)
        figures["cpu_postgres"].append(1000 * burst.postgres_cpu_s / count)
        bench.report.tell(", ".join(f"{name} {values[-1]:.1f} {UNITS[name]}" for name, values in figures.items()))
    return [row("overhead", INSTADISTRO, name, UNITS[name], values) for name, values in figures.items()]
