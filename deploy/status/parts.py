"""The parts of a system that was started on this machine, as its record has them."""

from __future__ import annotations

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


def parts_of(record: RunRecord) -> list[PartSeen]:
    """The parts in the order they were started; one whose process has ended since it was recorded has `died`."""
    return [
        PartSeen(name=name, state=_state(part), pid=part.pid, port=part.port, since=part.since)
        for name, part in record.parts.items()
    ]


def _state(part: PartRecord) -> str:
    return "died" if part.pid is not None and not part.alive else part.state
