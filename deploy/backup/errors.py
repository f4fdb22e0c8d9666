"""What stands in the way of a backup or a restore."""

from __future__ import annotations

from shared.errors import InstaDistroError


class BackupError(InstaDistroError):
    """It cannot be made or restored as things stand. The text says why and what to do; nothing was changed yet."""
