"""The parts of a system that was started on this machine, as its record has them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from deploy.local.run_record import PartRecord, RunRecord

RUNNING = frozenset({"ready", "done"})


@dataclass(frozen=True, kw_only=True)
class PartSeen:
    """One part at this moment."""

    name: str
    state: str
    pid: int | None
    port: int | None
    since: str  # RFC 3339, of the state


def parts_of(record: RunRecord, *, silent: Collection[str] = ()) -> list[PartSeen]:
    """The parts in the order they were started; one whose process has ended since it was recorded has `died`.

    Args:
        record: what `up` wrote.
        silent: the names of those that were asked and said nothing.
    """
    return [
        PartSeen(
            name=name, state=_state(part, is_silent=name in silent), pid=part.pid, port=part.port, since=part.since
        )
        for name, part in record.parts.items()
    ]


def _state(part: PartRecord, *, is_silent: bool) -> str:
    if part.pid is not None and not part.alive:
        return "died"
    return "no answer" if is_silent and part.state in RUNNING else part.state
