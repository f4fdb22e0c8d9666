"""Weeks of schedules on a virtual clock; `make year` lives through the whole year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.database import create_pool
from tests.simulation.clock import create_database, drop_database, set_clock
from tests.simulation.judge import Outage, judge
from tests.simulation.world import populate
from tests.simulation.year import Span, simulate

# Berlin goes to summer time on the 29th of March at 01:00 UTC, Lord Howe leaves it by half an hour on the 5th of April.
_BEGIN = datetime(2026, 3, 26, tzinfo=UTC)
_NIGHT = Outage(begin=datetime(2026, 3, 29, 0, 30, tzinfo=UTC), end=datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
_WEEKS = Outage(begin=datetime(2026, 4, 8, 6, tzinfo=UTC), end=datetime(2026, 4, 29, 6, tzinfo=UTC))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
async def test_weeks_with_outages_double_burst_and_lose_nothing(servers, zone):
    """Every due time of six weeks, an outage of an hour and one of three weeks among them, is kept or explained."""
    span = Span(begin=_BEGIN, end=datetime(2026, 5, 3, tzinfo=UTC), zones=(zone,), outages=[_NIGHT, _WEEKS])

    verdict = await simulate(servers.database, span)

    assert verdict.faults == []
    assert {"distributed:", "skipped:superseded", "skipped:misfire", "skipped:too_late"} <= set(verdict.occurrences)
    assert verdict.publications["published"] > verdict.publications["failed"] > 0
    assert verdict.latest_s < 60


async def test_the_judge_notices_what_was_lost(servers):
    """Where nobody kept time for a day, every promise of that day is found to be broken."""
    name = f"year_{uuid4().hex}"
    url = await create_database(servers.database, name, begin=_BEGIN)
    try:
        async with await create_pool(url, application_name="simulation") as pool:
            promises = await populate(pool, zones=("Europe/Berlin",), begin=_BEGIN)
            end = _BEGIN + timedelta(days=1)
            await set_clock(pool, end)

            verdict = await judge(pool, promises, begin=_BEGIN, end=end, outages=[])
    finally:
        await drop_database(servers.database, name)

    assert len(verdict.faults) == 5
    assert all(fault.endswith("has no row") for fault in verdict.faults)
