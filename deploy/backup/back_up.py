"""`instadistro backup`: one consistent snapshot of the database, and the media that it names."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from deploy.backup.database import IS_CLOSED
from deploy.backup.errors import BackupError
from deploy.backup.manifest import COUNTED, DATABASE, MEDIA, MEDIA_LIST, SECRETS, Manifest, Part, write_manifest
from deploy.backup.part_files import copy_file, new_part, sync_directory
from deploy.backup.programs import find_program, read_output
from deploy.backup.progress import Progress
from deploy.backup.secrets_fit import count_keys, fingerprints, take_samples
from shared.database import Connection
from shared.errors import NotReadyError
from shared.settings import Settings

_CONNECT_S = 10.0
_NOW = "SELECT now() AS now, pg_export_snapshot() AS snapshot, current_setting('server_version_num')::int AS version"
_MIGRATIONS = "SELECT name, digest FROM schema_migrations ORDER BY name"
_KEYS = "SELECT key FROM media WHERE dropped_at IS NULL ORDER BY key"
_KEYS_AT_ONCE = 1_000
_REPORT_EVERY_BYTES = 8 << 20


async def back_up(settings: Settings, directory: Path, *, progress: Progress, secrets_file: Path | None) -> Manifest:
    """Make a backup while the system runs. The directory is there once it is whole, and not before.

    Args:
        settings: of the system.
        directory: where; nothing may be there yet.
        progress: is told how far it is.
        secrets_file: of a private system, to be put into the backup; None leaves every secret out.

    Raises:
        BackupError: it cannot be made; nothing is left of it.
        NotReadyError: the database is away.
    """
    unfinished = _begin(directory)
    try:
        manifest = await _fill(settings, unfinished, progress=progress, secrets_file=secrets_file)
        await asyncio.to_thread(unfinished.rename, directory)
        sync_directory(directory.parent)
    except OSError as error:
        raise BackupError(f"The backup cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)  # it has another name by now, or is waste
    return manifest


def _begin(directory: Path) -> Path:
    """A directory beside the one that it will be."""
    if directory.exists():
        raise BackupError(f"{directory} is there already. Name a directory that does not exist yet.")
    try:
        return Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    except OSError as error:
        raise BackupError(f"{directory.parent} cannot be written to: {error.strerror}.") from error


async def _fill(settings: Settings, directory: Path, *, progress: Progress, secrets_file: Path | None) -> Manifest:
    keys_file = directory / "keys"
    async with _snapshot(settings.database_url) as (connection, snapshot, major, made_at):
        migrations = {row["name"]: row["digest"] for row in await connection.fetch(_MIGRATIONS)}
        rows = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in COUNTED}  # noqa: S608 - a constant's words
        token_keys, samples = await count_keys(connection), await take_samples(connection)
        count = await _write_keys(connection, keys_file)
        database = await _dump(settings.database_url, directory, snapshot=snapshot, major=major, progress=progress)
    parts = {DATABASE: database}
    in_directory = not settings.media_store.startswith("s3://")
    files = size = 0
    if in_directory:
        store = Path(settings.media_store)
        parts[MEDIA_LIST], files, size = await asyncio.to_thread(
            _copy_media, store, directory, keys_file, count, progress
        )
    keys_file.unlink()
    if secrets_file is not None:
        parts[SECRETS] = await asyncio.to_thread(copy_file, secrets_file, directory / SECRETS)
    manifest = Manifest(
        product=version("instadistro"),
        made_at=made_at,
        postgres=major,
        migrations=migrations,
        rows=rows,
        token_keys=token_keys,
        samples=samples,
        fingerprints=fingerprints(settings),
        media_store="directory" if in_directory else "s3",
        media_files=files,
        media_bytes=size,
        media_missing=count - files if in_directory else 0,
        parts=parts,
    )
    write_manifest(directory, manifest)
    sync_directory(directory)
    return manifest


@asynccontextmanager
async def _snapshot(database_url: str) -> AsyncIterator[tuple[Connection, str, int, datetime]]:
    """A transaction that sees one moment, and the name by which pg_dump sees the same."""
    try:
        connection = await asyncpg.connect(
            database_url,
            timeout=_CONNECT_S,
            server_settings={
                "application_name": "instadistro-backup",
                # It stands still while pg_dump reads.
                "idle_in_transaction_session_timeout": "0",
                "statement_timeout": "0",
            },
        )
    except (TimeoutError, OSError, asyncpg.PostgresError) as error:
        raise NotReadyError(
            f"PostgreSQL cannot be reached: {error or type(error).__name__}. Check DATABASE_URL."
        ) from error
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            row = await connection.fetchrow(_NOW)
            if row is None:
                raise BackupError("The database gave no snapshot.")
            if await connection.fetchval(IS_CLOSED):
                raise BackupError("A restore into this database was cut off: it is not whole. Restore it again first.")
            yield connection, row["snapshot"], row["version"] // 10_000, row["now"]
    except asyncpg.UndefinedTableError as error:
        raise BackupError("The database is not migrated: there is nothing to keep yet.") from error
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        raise NotReadyError(f"the database went away: {error or type(error).__name__}. Begin again.") from error
    finally:
        connection.terminate()


async def _write_keys(connection: Connection, file: Path) -> int:
    """The names of all media, on disk: there may be very many."""
    count = 0
    with new_part(file) as names:
        async for row in connection.cursor(_KEYS, prefetch=_KEYS_AT_ONCE):
            names.write(f"{row['key']}\n".encode())
            count += 1
    return count


async def _dump(database_url: str, directory: Path, *, snapshot: str, major: int, progress: Progress) -> Part:
    program = find_program("pg_dump", major=major)
    command = (
        str(program),
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        "--lock-wait-timeout=60s",
        f"--snapshot={snapshot}",
    )
    told = 0
    async with aclosing(read_output(command, database_url)) as pieces:
        with new_part(directory / DATABASE) as dump:
            async for piece in pieces:
                await asyncio.to_thread(dump.write, piece)
                if dump.bytes - told >= _REPORT_EVERY_BYTES:
                    told = dump.bytes
                    progress("bytes of the database", told, 0)
    progress("bytes of the database", dump.bytes, dump.bytes)
    return dump.part


def _copy_media(store: Path, directory: Path, keys_file: Path, count: int, progress: Progress) -> tuple[Part, int, int]:
    """Copy what the snapshot names. What a person removed since is gone, and missed by nobody."""
    target = directory / MEDIA
    target.mkdir(mode=0o700)
    files = size = 0
    with keys_file.open(encoding="ascii") as keys, new_part(directory / MEDIA_LIST) as listed:
        for done, line in enumerate(keys, start=1):
            key = line.rstrip("\n")
            if os.sep not in key and (store / key).is_file():
                with suppress(FileNotFoundError):  # removed since it was looked for
                    copied = copy_file(store / key, target / key)
                    listed.write(f"{copied.sha256}  {MEDIA}/{key}\n".encode())  # as sha256sum writes and checks it
                    files, size = files + 1, size + copied.bytes
            progress("media", done, count)
    sync_directory(target)
    return listed.part, files, size
