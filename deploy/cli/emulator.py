"""`instadistro emulator`: the stand-in for the Graph API, alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import structlog

from deploy.cli.as_process import as_process

log = structlog.get_logger()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8090, show_default=True, envvar="EMULATOR_PORT")
@click.option(
    "--accounts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Accounts to begin with, as CSV: the same ids and tokens at every start.",
)
def emulator(*, host: str, port: int, accounts: Path | None) -> None:
    """Run the Graph API emulator until Ctrl-C. For development and tests; never point real work at it."""
    from deploy.emulator import run_emulator  # noqa: PLC0415 - only this command pays for the import

    def ready(url: str) -> None:
        log.info("emulator.serving", url=url)

    with as_process("emulator"):
        asyncio.run(run_emulator(host=host, port=port, accounts_file=accounts, on_ready=ready))
