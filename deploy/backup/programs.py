"""pg_dump and pg_restore: found for the server's version, run without its password on any command line."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from deploy.backup.errors import BackupError
from deploy.local.binaries import postgres_version

_CHUNK_BYTES = 1 << 20
# Nothing came for so long: the program or its server hangs.
_SILENCE_S = 600.0
_RESTORE_DEADLINE_S = 24 * 3600.0
_ERROR_BYTES = 4_000


def find_program(name: str, *, major: int, root: Path = Path("/"), search_path: str | None = None) -> Path:
    """The program of the server's major version: an older one refuses the server, a newer one may confuse it.

    Raises:
        BackupError: it is not installed.
    """
    on_path = shutil.which(name, path=search_path)
    # Debian's own directory comes first: what stands on the path there chooses a version by rules of its own.
    for program in (root / f"usr/lib/postgresql/{major}/bin/{name}", Path(on_path or "")):
        if program.is_file() and postgres_version(program) == major:
            return program
    raise BackupError(
        f"{name} of PostgreSQL {major} was not found. Install it (Debian: postgresql-client-{major}), or run this "
        "where it is: docs/operations.md says how for Compose."
    )


async def read_output(command: Sequence[str], database_url: str) -> AsyncGenerator[bytes, None]:
    """Run a program and give what it writes, in pieces.

    Raises:
        BackupError: it failed, or nothing came for ten minutes.
    """
    process = await _start(command, database_url, stdout=asyncio.subprocess.PIPE)
    if process.stdout is None:
        raise BackupError(f"{command[0]} gave nothing to read.")
    said = asyncio.create_task(_last_words(process))
    try:
        while piece := await asyncio.wait_for(process.stdout.read(_CHUNK_BYTES), _SILENCE_S):
            yield piece
        await _end_well(process, said, command)
    except TimeoutError as error:
        raise BackupError(f"{command[0]} wrote nothing for {_SILENCE_S:g} s. Is the database up?") from error
    finally:
        await _end(process, said)


async def run(command: Sequence[str], database_url: str) -> None:
    """Run a program to its end. Raises BackupError where it fails."""
    process = await _start(command, database_url, stdout=asyncio.subprocess.DEVNULL)
    said = asyncio.create_task(_last_words(process))
    try:
        async with asyncio.timeout(_RESTORE_DEADLINE_S):
            await _end_well(process, said, command)
    except TimeoutError as error:
        raise BackupError(f"{command[0]} did not end within a day.") from error
    finally:
        await _end(process, said)


async def _start(command: Sequence[str], database_url: str, *, stdout: int) -> asyncio.subprocess.Process:
    parts = urlsplit(database_url)
    login, _, host = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    query = dict(parse_qsl(parts.query))
    password = query.pop("password", unquote(password))  # what is in the query goes before
    url = parts._replace(netloc=f"{user}@{host}" if login else host, query=urlencode(query, quote_via=quote)).geturl()
    secret = {"PGPASSWORD": password} if password else {}
    # A database that is being restored refuses to be written to by anybody who does not say so.
    options = {"PGOPTIONS": "-c default_transaction_read_only=off -c statement_timeout=0"}
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            f"--dbname={url}",
            env={**os.environ, **secret, **options},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise BackupError(f"{command[0]} cannot be started: {error.strerror}.") from error


async def _last_words(process: asyncio.subprocess.Process) -> str:
    words = b""
    while process.stderr is not None and (piece := await process.stderr.read(_ERROR_BYTES)):
        words = (words + piece)[-_ERROR_BYTES:]
    return words.decode(errors="replace").strip()


async def _end_well(process: asyncio.subprocess.Process, said: asyncio.Task[str], command: Sequence[str]) -> None:
    status = await process.wait()
    if status:
        raise BackupError(f"{Path(command[0]).name} failed with status {status}: {await said}")


async def _end(process: asyncio.subprocess.Process, said: asyncio.Task[str]) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
    said.cancel()
