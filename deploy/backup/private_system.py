"""The servers that a backup or a restore talks to: those of the settings, or a private system's, started for it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.backup.errors import BackupError
from deploy.backup.manifest import SECRETS
from deploy.cli.environment import find_environment
from deploy.local import BoundedFile, Instance, Log, System, open_instance, read_ports
from deploy.local.instance import SECRETS_FILE
from deploy.local.private_file import write_private
from deploy.local.surroundings import is_given
from shared.settings import Settings, load_settings

_LOG = "backup.log"
# Nothing is sent, so the broker, which takes longest to start, is left out: a given one is not started.
_WITHOUT_BROKER = {"AMQP_URL": "amqp://not-needed.invalid"}


@dataclass(frozen=True, kw_only=True)
class Servers:
    """What was found."""

    settings: Settings
    secrets_file: Path | None  # of a private system


@asynccontextmanager
async def open_servers(backup: Path | None = None) -> AsyncIterator[Servers]:
    """The settings of the environment, or those of this machine's private system.

    One that does not run is started without its services, and stopped again.

    Args:
        backup: to be restored. A private system that has no secrets yet takes over those in it.

    Raises:
        BackupError: a private system has no data, and there are no secrets to begin it with.
        SettingsError, and what `System` raises.
    """
    if is_given(os.environ, "DATABASE_URL"):
        yield Servers(settings=load_settings(os.environ), secrets_file=None)
        return
    instance = open_instance(os.environ)
    secrets_file = instance.directory / SECRETS_FILE
    environment = find_environment()
    if is_given(environment, "DATABASE_URL"):  # it runs
        yield Servers(settings=load_settings(environment), secrets_file=secrets_file)
        return
    _require_secrets(instance, secrets_file, backup)
    instance.create()
    log = Log(file=BoundedFile(instance.logs / _LOG))
    system = System(instance, read_ports(os.environ), extra_environment=_WITHOUT_BROKER, servers_only=True, log=log)
    async with system:
        yield Servers(settings=load_settings(system.environment), secrets_file=secrets_file)


def _require_secrets(instance: Instance, secrets_file: Path, backup: Path | None) -> None:
    """Data of another system need that system's secrets: none are made up here."""
    if secrets_file.is_file():
        return
    if backup is None:
        raise BackupError(
            f"There is no system to back up: DATABASE_URL is not set, and {instance.directory} holds no private system."
        )
    if not (backup / SECRETS).is_file():
        raise BackupError(
            f"The private system in {instance.directory} has no secrets yet, and the backup holds none (it was made "
            "without --with-secrets). Set DATABASE_URL, TOKEN_KEYS, CURSOR_SECRET and API_KEY_PEPPER, or put "
            f"{SECRETS_FILE} of the system that was backed up into the backup's directory."
        )
    instance.create()
    write_private(secrets_file, (backup / SECRETS).read_text(encoding="utf-8"))
