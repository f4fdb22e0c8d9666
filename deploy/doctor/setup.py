"""What the doctor looks at: the settings as far as they can be read, and the private system if one runs here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.run_record import RunRecord
from shared.errors import SettingsError
from shared.settings import Settings, load_settings


def _now() -> datetime:
    return datetime.now(UTC)


def _free_bytes(place: Path) -> int:
    return shutil.disk_usage(place).free


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One set-up to examine."""

    environ: Mapping[str, str]
    readable: Settings | None  # None: `faults` says why
    faults: tuple[str, ...] = ()
    record: RunRecord | None = None  # of the private system that runs on this machine
    now: Callable[[], datetime] = _now  # this machine's clock
    free_bytes: Callable[[Path], int] = _free_bytes  # for a process of this user

    @property
    def settings(self) -> Settings:
        """The settings, for checks that need `settings.values`."""
        if self.readable is None:
            raise LookupError("the settings cannot be read; let the check need settings.values")
        return self.readable


def read_setup(environ: Mapping[str, str], *, record: RunRecord | None = None) -> Setup:
    """Read the settings of an environment, whether they can be used or not.

    Args:
        environ: the environment that the services get.
        record: of the private system that runs on this machine, if one does.
    """
    try:
        return Setup(environ=environ, readable=load_settings(environ), record=record)
    except SettingsError as error:
        return Setup(environ=environ, readable=None, faults=tuple(error.faults), record=record)
