"""`instadistro restore`: the database and the media as they were, and then on, without loss and without doubles."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from deploy.backup.database import close_and_empty, connect, require_alone, require_room, require_rows, writable
from deploy.backup.errors import BackupError
from deploy.backup.go_on import GoneOn, go_on
from deploy.backup.manifest import DATABASE, MEDIA, MEDIA_LIST, Manifest, read_manifest
from deploy.backup.part_files import copy_file, sync_directory
from deploy.backup.programs import find_program, run
from deploy.backup.progress import Progress
from deploy.backup.secrets_fit import require_fit
from deploy.backup.verify import verify_parts
from shared.database import migrate
from shared.database.migrate import load_migrations
from shared.settings import Settings

_MIGRATE_DEADLINE_S = 3_600.0
# A backup is its owner's alone; of the store the services read, whoever they run as.
_MEDIA_MODE = 0o644
_SERVER = "SELECT current_setting('server_version_num')::int / 10000"


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    migrated: list[str]  # migrations that the backup did not have yet
    media: int  # files put back; those that were there already are not counted
    gone_on: GoneOn


async def restore(settings: Settings, directory: Path, *, replace: bool, progress: Progress) -> Restored:
    """Put a backup in place of what is in the database. No service may run.

    Everything that can be refused is refused before anything is changed. Cut off after that, the database stays closed
    to services until a restore was completed.

    Args:
        settings: of the system, with the secrets that the backup was made with.
        directory: the backup.
        replace: throw away a database that is in use.
        progress: is told how far it is.

    Raises:
        BackupError: it cannot be restored so; the text says what to do.
        NotReadyError: the database is away.
    """
    manifest = read_manifest(directory)
    _require_known(manifest)
    require_fit(manifest, settings)
    _require_same_store(manifest, settings)
    async with connect(settings.database_url) as connection:
        await require_alone(connection)
        await require_room(connection, replace=replace, major=manifest.postgres)
        program = find_program("pg_restore", major=await connection.fetchval(_SERVER))
    await asyncio.to_thread(verify_parts, directory, manifest, progress=progress)
    async with connect(settings.database_url) as connection:
        await require_alone(connection)  # again: reading all of the backup may have taken long
        await close_and_empty(connection)
    command = (str(program), "--exit-on-error", "--no-owner", "--no-privileges", str(directory / DATABASE))
    await run(command, settings.database_url)
    async with connect(settings.database_url) as connection:
        await require_rows(connection, manifest.rows)
    migrated = await migrate(writable(settings.database_url), deadline_s=_MIGRATE_DEADLINE_S)
    media = 0
    if MEDIA_LIST in manifest.parts:
        media = await asyncio.to_thread(_put_back_media, directory, Path(settings.media_store), manifest, progress)
    gone_on = await go_on(settings, since=manifest.made_at)
    return Restored(manifest=manifest, migrated=migrated, media=media, gone_on=gone_on)


def _require_known(manifest: Manifest) -> None:
    known = {migration.name: migration.digest for migration in load_migrations()}
    for name, digest in manifest.migrations.items():
        if known.get(name) != digest:
            what = "does not know" if name not in known else "has in another form"
            raise BackupError(
                f"The backup was made by version {manifest.product}, with the migration {name}, which this version "
                f"{what}. Restore it with that version or a newer one."
            )


def _require_same_store(manifest: Manifest, settings: Settings) -> None:
    if (manifest.media_store == "s3") != settings.media_store.startswith("s3://"):
        raise BackupError(
            f"The backup's media are kept in {'a bucket' if manifest.media_store == 's3' else 'a directory'}, and "
            "MEDIA_STORE says otherwise. Set it as it was."
        )


def _put_back_media(directory: Path, store: Path, manifest: Manifest, progress: Progress) -> int:
    """Every file that is not there already; whole or not at all."""
    count = 0
    try:
        store.mkdir(parents=True, exist_ok=True)
        with (directory / MEDIA_LIST).open(encoding="ascii") as lines:
            for done, line in enumerate(lines, start=1):
                key = line.rstrip("\n").rpartition(f"{MEDIA}/")[2]
                count += _put_back(directory / MEDIA / key, store / key)
                progress("media put back", done, manifest.media_files)
        sync_directory(store)
    except OSError as error:
        raise BackupError(f"MEDIA_STORE {store} cannot be written to: {error.strerror}. Then restore again.") from error
    return count


def _put_back(kept: Path, place: Path) -> bool:
    # Bytes under a key never change: one that has its size is the same, unless it is damaged.
    if place.is_file() and place.stat().st_size == kept.stat().st_size:
        return False
    unfinished = place.with_name(f"{place.name}#{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    copy_file(kept, unfinished)
    unfinished.chmod(_MEDIA_MODE)
    unfinished.replace(place)
    return True
