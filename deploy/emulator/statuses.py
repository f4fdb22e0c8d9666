"""Where a container stands, and how an attempt to use it is refused."""

from __future__ import annotations

from datetime import datetime

from deploy.emulator.error_table import CONTAINER_EXPIRED, CONTAINER_FAILED, NOT_READY
from deploy.emulator.errors import ErrorKind
from deploy.emulator.state import WINDOW, Container

# What the platform answers to some of these is not known: to use what EXPIRED or failed, and what was PUBLISHED, where
# ours makes the client look at the container.
REFUSALS: dict[str, ErrorKind] = {
    "IN_PROGRESS": NOT_READY,
    "ERROR": CONTAINER_FAILED,
    "EXPIRED": CONTAINER_EXPIRED,
    "PUBLISHED": NOT_READY,
}


def status_of(container: Container, now: datetime) -> str:
    """IN_PROGRESS, FINISHED, PUBLISHED, ERROR or EXPIRED."""
    if container.published:
        return "PUBLISHED"
    is_ready = container.ready_at is not None and now >= container.ready_at
    if container.error is not None and (is_ready or container.ready_at is None):
        return "ERROR"
    if now >= container.created_at + WINDOW:
        return "EXPIRED"
    return "FINISHED" if is_ready else "IN_PROGRESS"
