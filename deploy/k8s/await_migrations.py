"""What a pod waits for before its service starts: `python -m deploy.k8s.await_migrations`.

The Job of the same release migrates; this only looks. Exit status: 0 once the database has every migration of this
version, 1 if it has not after an hour or never will, 2 if the settings cannot be used.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable

import asyncpg
import structlog

from shared.database import DATABASE_AWAY, MigrationError, load_migrations
from shared.errors import InstaDistroError, NotReadyError, SettingsError
from shared.logs import begin_logs
from shared.settings import load_settings

_LOOK_EVERY_S = 2.0
_LOOK_DEADLINE_S = 10.0
_DEADLINE_S = 3600.0  # as long as the Job may take
_EXIT_FAILED = 1
_EXIT_SETTINGS = 2

_HISTORY = "SELECT name, digest FROM schema_migrations"
log = structlog.get_logger()


def _tell(reason: str) -> None:
    log.info("migrations.awaited", reason=reason)


async def await_migrations(
    database_url: str, *, deadline_s: float, every_s: float = _LOOK_EVERY_S, say: Callable[[str], None] = _tell
) -> None:
    """Return once the database has every migration of this version, whatever newer ones it has beside them.

    Args:
        database_url: `postgresql://...`; reading `schema_migrations` is all it needs to be allowed.
        deadline_s: seconds for all of it.
        every_s: seconds between two looks.
        say: told what is being waited for, whenever that changes.

    Raises:
        NotReadyError: it did not happen in time. Look what became of the Job that migrates.
        MigrationError: a migration was applied with another text, so this version and the database do not belong
            together. Use the release that fits.
    """
    said = ""
    try:
        async with asyncio.timeout(deadline_s):
            while reason := await _what_is_missing(database_url):
                if reason != said:
                    said = reason
                    say(reason)
                await asyncio.sleep(every_s)
    except TimeoutError as error:
        raise NotReadyError(f"{said} It did not happen within {deadline_s:g} s. Is the Job well?") from error


async def _what_is_missing(database_url: str) -> str | None:
    try:
        async with asyncio.timeout(_LOOK_DEADLINE_S):
            applied = await _applied(database_url)
    except (*DATABASE_AWAY, asyncpg.PostgresError) as error:
        return f"Waiting for PostgreSQL: {error or type(error).__name__}."
    migrations = load_migrations()
    changed = [item.name for item in migrations if applied.get(item.name, item.digest) != item.digest]
    if changed:
        raise MigrationError(f"{', '.join(changed)} was applied with another text. Use the release that fits.")
    missing = [item.name for item in migrations if item.name not in applied]
    return f"Waiting for {', '.join(missing)} to be applied." if missing else None


async def _applied(database_url: str) -> dict[str, str]:
    connection = await asyncpg.connect(
        database_url, server_settings={"application_name": "instadistro-await-migrations"}
    )
    try:
        return {row["name"]: row["digest"] for row in await connection.fetch(_HISTORY)}
    except asyncpg.UndefinedTableError:
        return {}
    finally:
        await connection.close()


def main() -> None:
    """Wait as the settings of the environment say."""
    begin_logs(service="await-migrations", environ=os.environ)
    try:
        asyncio.run(await_migrations(load_settings(os.environ).database_url, deadline_s=_DEADLINE_S))
    except InstaDistroError as error:
        log.critical("service.failed", error=str(error))
        sys.exit(_EXIT_SETTINGS if isinstance(error, SettingsError) else _EXIT_FAILED)
    log.info("migrations.complete")


if __name__ == "__main__":
    main()
