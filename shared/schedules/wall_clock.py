"""What a wall time of a zone is in UTC, where the zone's clock jumps over it or shows it twice too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.schedules.reasons import OccurrenceReason
from shared.schedules.rule import Gap, Overlap, RuleError

# No clock jumps further: a change of the date line is one of 24 hours.
_FURTHEST_JUMP = timedelta(hours=26)
# They are the machine's, or run by other seconds, and mean something else elsewhere.
_NO_ZONES = ("localtime", "posix/", "posixrules", "right/")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One moment at which a wall time comes."""

    due_at: datetime  # UTC
    run: int = 1  # 2: the second run of a wall time both of whose runs count
    skipped: OccurrenceReason | None = None  # dst_gap: it does not come; `due_at` is when it would, shifted


def load_zone(name: str) -> ZoneInfo:
    """The zone of this name, from the machine's data or else from the package `tzdata`.

    Raises:
        RuleError: there is none; take another name, or bring the data up to date.
    """
    try:
        if not name.startswith(_NO_ZONES):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        pass
    raise RuleError(f"{name!r} is no time zone known here; use an IANA name such as Europe/Berlin.", field="timezone")


def read_wall_time(wall: datetime, *, zone: ZoneInfo, gap: Gap, overlap: Overlap) -> list[Reading]:
    """When this wall time comes: at one moment, or at two.

    Args:
        wall: naive.
        zone: whose clock it is.
        gap: what becomes of it where the clock jumps over it.
        overlap: which of two runs counts.
    """
    first, second = _runs(wall, zone)
    if first == second:
        return [Reading(due_at=first)]
    if first > second:
        # With the offset from before the jump: two wall times in one gap stay as far apart as they are.
        return [Reading(due_at=first, skipped=OccurrenceReason.DST_GAP if gap is Gap.SKIP else None)]
    if overlap is Overlap.BOTH:
        return [Reading(due_at=first), Reading(due_at=second, run=2)]
    return [Reading(due_at=first if overlap is Overlap.FIRST else second)]


def runs_of(wall: datetime, *, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Moments between which a wall time comes, whatever the policy; they are one where the clock shows it once.

    Neither it nor any later one comes before the first, and no later one at the second or before where they are one.
    """
    first, second = _runs(wall, zone)
    return (first, second) if first <= second else (second, first)


def wall_before(moment: datetime, *, zone: ZoneInfo) -> datetime:
    """A wall time such that all that come after the moment are later than it, or equal to it."""
    around = (moment - _FURTHEST_JUMP, moment, moment + _FURTHEST_JUMP)
    local = [instant.astimezone(zone) for instant in around]
    wall = local[1].replace(tzinfo=None)
    changes = len({instant.utcoffset() for instant in local}) > 1
    return wall - _FURTHEST_JUMP if changes else wall


def _runs(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """By the offset from before a change and by the one from after it; the same where there is none."""
    local = wall.replace(tzinfo=zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
