"""Commands that run as a part of the system: containers collect what they write as they do a service's log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from shared.errors import InstaDistroError, SettingsError
from shared.logs import begin_logs

log = structlog.get_logger()
_FAILED = 1
_WRONG_SETTINGS = 2


@contextmanager
def as_process(name: str) -> Iterator[bool]:
    """Log as the service `name` while the context lasts; yields whether lines are JSON.

    Where they are, a failure is a line as well, and ends the process with the same status as on a terminal.
    """
    as_json = begin_logs(service=name, environ=os.environ)
    try:
        yield as_json
    except InstaDistroError as error:
        if not as_json:
            raise
        log.critical("service.failed", error=str(error))
        sys.exit(_WRONG_SETTINGS if isinstance(error, SettingsError) else _FAILED)
