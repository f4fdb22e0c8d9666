"""What runs now, written down so that `status`, `down` and the next `up` know it even if the supervisor was killed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local.account import StateDirectoryError
from deploy.local.ports import Ports
from deploy.local.private_file import write_private
from deploy.local.process_identity import birth
from deploy.local.state_directory import STATE_VARIABLE


@dataclass(kw_only=True)
class PartRecord:
    """One part as it is now."""

    state: str = "waiting"
    pid: int | None = None
    born: str | None = None  # see process_identity.birth
    port: int | None = None
    since: str = ""  # RFC 3339, of the state

    @property
    def alive(self) -> bool:
        """Does the very process that was recorded still run?"""
        return self.pid is not None and self.born is not None and birth(self.pid) == self.born


@dataclass(kw_only=True)
class RunRecord:
    """One run of a supervisor."""

    pid: int
    born: str
    started_at: str  # RFC 3339
    ready: bool = False  # everything was ready at least once
    ports: dict[str, int] = field(default_factory=dict)
    parts: dict[str, PartRecord] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """Does the supervisor of this record still run?"""
        return birth(self.pid) == self.born

    def orphans(self) -> list[tuple[str, int, str]]:
        """Name, pid and birth of the recorded processes that run, in the order they were started."""
        return [
            (name, part.pid, part.born) for name, part in self.parts.items() if part.alive and part.pid and part.born
        ]


def now_text() -> str:
    """The time for people, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_record(ports: Ports) -> RunRecord:
    """The record of a run that begins in this process."""
    pid = os.getpid()
    return RunRecord(pid=pid, born=birth(pid) or "", started_at=now_text(), ports=asdict(ports))


def read_record(path: Path) -> RunRecord | None:
    """The record in `path`; None if there is none, or it is damaged.

    Raises:
        StateDirectoryError: it belongs to another user.
    """
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        parts = {name: PartRecord(**part) for name, part in values.pop("parts").items()}
        return RunRecord(**values, parts=parts)
    except PermissionError as error:
        raise StateDirectoryError(f"{path} belongs to another user; ask as that user.") from error
    except NotADirectoryError as error:
        raise StateDirectoryError(f"{path.parent} is no directory; set {STATE_VARIABLE} to one.") from error
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None


class Recorder:
    """Keeps the record in its file equal to the one in memory."""

    def __init__(self, path: Path, record: RunRecord, *, complain: Callable[[str], None]) -> None:
        self.record = record
        self._path = path
        self._complain = complain

    def note(self, name: str, *, state: str, pid: int | None, port: int | None) -> None:
        """A part changed."""
        born = birth(pid) if pid is not None else None
        self.record.parts[name] = PartRecord(state=state, pid=pid, born=born, port=port, since=now_text())
        self.write()

    def note_ready(self) -> None:
        """Everything is ready for the first time."""
        self.record.ready = True
        self.write()

    def write(self) -> None:
        """Write the record; a full disk must not stop a running system."""
        try:
            write_private(self._path, json.dumps(asdict(self.record), indent=1), synced=False)
        except OSError as error:
            self._complain(f"cannot write {self._path}: {error.strerror}; `status` will be out of date")

    def remove(self) -> None:
        """Nothing runs any more."""
        with suppress(OSError):
            self._path.unlink()
