"""What the clock of a zone shows."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from shared.schedules import RuleError, load_zone


def local_time(moment: datetime, *, timezone: str) -> datetime | None:
    """A moment on the zone's clock, with its offset; None: the zone is gone from the data."""
    try:
        zone: ZoneInfo = load_zone(timezone)
    except RuleError:
        return None
    return moment.astimezone(zone)
