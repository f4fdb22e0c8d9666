"""The database as its checks get it."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.doctor.setup import Setup
from shared.database import Pool


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database that let us in."""

    pool: Pool  # of one connection
    setup: Setup
