"""Backups of what cannot be had again: the database as of one moment, and media that are kept in a directory."""

from deploy.backup.back_up import back_up
from deploy.backup.errors import BackupError
from deploy.backup.manifest import Manifest, read_manifest
from deploy.backup.private_system import open_servers
from deploy.backup.restore import Restored, restore
from deploy.backup.verify import verify_parts

__all__ = [
    "BackupError",
    "Manifest",
    "Restored",
    "back_up",
    "open_servers",
    "read_manifest",
    "restore",
    "verify_parts",
]
