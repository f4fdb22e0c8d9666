"""The simulated year by hand: `python -m tests.simulation`. Exit 0: every promise was kept, or its row says why not."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.private_servers import private_servers
from tests.simulation.judge import Outage, Verdict
from tests.simulation.world import ZONES
from tests.simulation.year import Span, simulate

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_SHOWN = 20


def main() -> int:
    """Run with the arguments of the command line."""
    parser = argparse.ArgumentParser(description="Live through a year of schedules on a virtual clock, and judge it.")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--zones", type=int, default=len(ZONES), help="fifty accounts and six schedules each")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    span = Span(
        begin=_BEGIN,
        end=_BEGIN + timedelta(days=given.days),
        zones=ZONES[: given.zones],
        # An hour in the night of a change of the clocks, an hour in a day, and three weeks of summer.
        outages=[
            Outage(begin=_at("2026-03-29T00:30"), end=_at("2026-03-29T01:30")),
            Outage(begin=_at("2026-05-04T08:40"), end=_at("2026-05-04T09:40")),
            Outage(begin=_at("2026-07-06T06:00"), end=_at("2026-07-27T06:00")),
        ],
        seed=given.seed,
    )
    with tempfile.TemporaryDirectory(prefix="instadistro-year-") as place:
        Path(place).chmod(0o711)  # the servers' account passes through it
        with private_servers(Path(place) / "servers") as servers:
            verdict = asyncio.run(simulate(servers.database, span))
    _tell(verdict)
    return 1 if verdict.faults else 0


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _tell(verdict: Verdict) -> None:
    for title, counted in (("occurrences", verdict.occurrences), ("publications", verdict.publications)):
        print(f"{title}: {counted.total():,}")  # noqa: T201
        for name, count in counted.most_common():
            print(f"  {name.rstrip(':'):<28} {count:>8,}")  # noqa: T201
    print(f"latest from due to distributed, outages apart: {verdict.latest_s:.1f} s")  # noqa: T201
    print(f"promises broken: {len(verdict.faults)}")  # noqa: T201
    for fault in verdict.faults[:_SHOWN]:
        print(f"  {fault}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
