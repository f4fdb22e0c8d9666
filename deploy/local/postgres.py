"""A private PostgreSQL: its own data directory, password and port, on loopback only."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

import asyncpg

from deploy.local.account import StateDirectoryError
from deploy.local.binaries import postgres_directories, postgres_version
from deploy.local.instance import Instance
from deploy.local.part import Part
from deploy.local.ports import LOOPBACK
from deploy.local.run_command import run_command

USER = DATABASE = "instadistro"
_INITDB_DEADLINE_S = 120.0
_PROBE_DEADLINE_S = 5.0
_CONNECTIONS = 200
_PROBLEMS = re.compile(r"\b(WARNING|ERROR|FATAL|PANIC):")
# Speed for data nobody will miss: tests only.
_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def postgres_url(*, port: int, password: str, database: str = DATABASE) -> str:
    """Where the private PostgreSQL of this port is reached."""
    return f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/{database}"


def postgres_part(*, instance: Instance, binaries: Path, port: int, password: str, durable: bool = True) -> Part:
    """Describe the server.

    Args:
        instance: holds its data.
        binaries: the directory of `postgres` and `initdb`; data made by another version get that version's own.
        port: on loopback.
        password: of the only user.
        durable: False loses data in a power cut; for tests.
    """
    data = instance.directory / "postgres" / "data"
    chosen = _programs_for(data, binaries)
    environment = {"PATH": f"{chosen}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}

    async def prepare() -> None:
        if not _has_data(instance, data):
            await _make_data(
                instance, data=data, binaries=chosen, environment=environment, password=password, durable=durable
            )

    async def probe() -> None:
        await _probe(port, password)

    settings = (
        f"listen_addresses={LOOPBACK}",
        f"port={port}",
        "unix_socket_directories=",  # a socket's path may not exceed 107 bytes; loopback needs none
        f"max_connections={_CONNECTIONS}",
        "random_page_cost=1.1",  # the default is that of disks with arms, and makes the planner shy of indexes
        "log_line_prefix=%m [%p] ",
        "log_error_verbosity=terse",  # details quote whole rows, captions among them
        *(() if durable else _FORGETFUL),
    )
    return Part(
        name="postgres",
        command=(
            str(chosen / "postgres"),
            "-D",
            str(data),
            *(word for setting in settings for word in ("-c", setting)),
        ),
        environment=environment,
        prepare=prepare,
        probe=probe,
        waits_for=f"connections on {LOOPBACK}:{port}",
        ready_deadline_s=120.0,  # it may have to recover from a crash first
        stop_signal=signal.SIGINT,  # fast shutdown: does not wait for clients to leave
        account=instance.account,
        directory=data.parent,
        port=port,
        log_file=instance.logs / "postgres.log",
        problems=_PROBLEMS,
    )


def _programs_for(data: Path, newest: Path) -> Path:
    """The programs that can read `data`: major versions do not read each other's."""
    try:
        made_by = int((data / "PG_VERSION").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return newest
    installed = postgres_directories()
    if made_by in installed:
        return installed[made_by]
    if postgres_version(newest / "postgres") == made_by:
        return newest
    raise StateDirectoryError(
        f"The data in {data} were made by PostgreSQL {made_by}, which is not installed. "
        f"Install postgresql-{made_by}, or start anew with `instadistro down --wipe`."
    )


def _has_data(instance: Instance, data: Path) -> bool:
    instance.server_directory("postgres")
    return data.exists()


async def _make_data(
    instance: Instance, *, data: Path, binaries: Path, environment: dict[str, str], password: str, durable: bool
) -> None:
    directory = data.parent
    # Made beside its place and renamed when whole: an initdb cut short leaves nothing that looks like data.
    unfinished = directory / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file = directory / "password"
    instance.write_private(password_file, f"{password}\n")
    try:
        await run_command(
            [
                str(binaries / "initdb"),
                f"--pgdata={unfinished}",
                f"--username={USER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                *(() if durable else ("--no-sync",)),
            ],
            environment=environment,
            account=instance.account,
            directory=directory,
            deadline_s=_INITDB_DEADLINE_S,
        )
    finally:
        password_file.unlink()
    unfinished.rename(data)


async def _probe(port: int, password: str) -> None:
    try:
        connection = await _connect(port, password, DATABASE)
    except asyncpg.InvalidCatalogNameError:
        connection = await _connect(port, password, "postgres")
        try:
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()
        return
    await connection.close()


async def _connect(port: int, password: str, database: str) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(
        postgres_url(port=port, password=password, database=database),
        timeout=_PROBE_DEADLINE_S,
        command_timeout=_PROBE_DEADLINE_S * 4,
    )
