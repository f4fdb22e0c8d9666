"""`instadistro migrate`: bring the database to the shape this version expects."""

from __future__ import annotations

import asyncio
import os

import click
import structlog

from deploy.cli.as_process import as_process
from shared.database import migrate as migrate_database
from shared.errors import NotReadyError
from shared.jobs import declare_topology, open_session
from shared.settings import Settings, load_settings

log = structlog.get_logger()
_SERVER_S = 120.0
_DATABASE_S = 3_500.0  # an index on a large table takes its time
_RETRY_S = 0.5


async def migrate_all(settings: Settings) -> list[str]:
    """Apply every migration that is missing and declare the broker's topology; any number of processes may at once.

    Returns:
        The names of the migrations applied, in their order.

    Raises:
        NotReadyError: a server did not answer in time; start it, or try again later.
        MigrationError, TopologyError: what is there does not fit this version; the text says what to do.
    """
    applied = await migrate_database(settings.database_url, deadline_s=_DATABASE_S, server_s=_SERVER_S)
    async with asyncio.timeout(_SERVER_S):
        while True:
            try:
                async with open_session(settings.amqp_url, name="migrate") as session:
                    await declare_topology(session.connection)
            except NotReadyError:
                await asyncio.sleep(_RETRY_S)
            else:
                return applied


@click.command()
def migrate() -> None:
    """Bring database and broker to this version. Harmless to repeat."""
    with as_process("migrate") as as_json:
        applied = asyncio.run(migrate_all(load_settings(os.environ)))
        if as_json:
            log.info("migrate.done", applied=applied)
            return
        for name in applied:
            click.echo(f"applied {name}")
        click.echo("Database and broker are up to date.")
