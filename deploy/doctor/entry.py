"""Areas that nothing has to be connected to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.doctor.setup import Setup


@asynccontextmanager
async def walk_in(setup: Setup) -> AsyncIterator[Setup]:
    """Enter an area whose checks look at the set-up itself."""
    yield setup
