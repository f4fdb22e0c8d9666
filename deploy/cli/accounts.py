"""`instadistro accounts`: many accounts at once, through the API."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deploy.cli.environment import find_environment
from shared.errors import InstaDistroError

if TYPE_CHECKING:
    from instadistro_client import Fault
    from instadistro_client.shapes import Imported

_DEADLINE_S = 120.0
_CONTENT_TYPES = {".json": "application/json", ".csv": "text/csv"}


@click.group()
def accounts() -> None:
    """Import accounts."""


@accounts.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--api-key", envvar="INSTADISTRO_API_KEY", required=True, help="Also: INSTADISTRO_API_KEY.")
@click.option("--url", help="The gateway; unless given, the one that runs on this machine.")
@click.option("--dry-run", is_flag=True, help="Only check, and say what would be done.")
def import_file(*, file: Path, api_key: str, url: str | None, dry_run: bool) -> None:
    """Add and change the accounts of FILE (CSV, or a JSON list in a .json file): all of them or none.

    Columns: username, instagram_user_id, access_token, token_expires_at, tags (parted by semicolons), proxy_id,
    protocol_id.
    Exit status: 0 imported, 1 refused, with every bad row on a line of its own.
    """
    content_type = _CONTENT_TYPES.get(file.suffix.lower(), "text/csv")
    address = url or f"http://127.0.0.1:{find_environment().get('API_PORT') or 8080}"
    imported = asyncio.run(_import(file.read_bytes(), content_type, api_key=api_key, url=address, dry_run=dry_run))
    done = "would be" if dry_run else "were"
    counts = f"{imported.created} created, {imported.updated} updated, {imported.unchanged} left as they are"
    click.echo(f"The accounts {done} imported: {counts}.")


async def _import(content: bytes, content_type: str, *, api_key: str, url: str, dry_run: bool) -> Imported:
    from instadistro_client import ApiError, ClientError, InstaDistro, RetryPolicy  # noqa: PLC0415 - only this command pays

    try:
        async with InstaDistro(url, api_key=api_key, policy=RetryPolicy(deadline_s=_DEADLINE_S)) as api:
            return await api.accounts.import_(content, content_type=content_type, dry_run=dry_run)
    except ApiError as error:
        click.echo(f"Refused: {error.problem.detail}", err=True)
        for fault in error.problem.errors:
            click.echo(f"  {_describe(fault)}", err=True)
        sys.exit(1)
    except (ClientError, ValueError) as error:
        raise InstaDistroError(f"The accounts could not be imported: {error}") from error


def _describe(fault: Fault) -> str:
    line = f"line {fault.line}" if fault.line is not None else None
    place = ", ".join(part for part in (line, fault.field or fault.path) if part)
    return f"{place or 'request'}: {fault.message} [{fault.code}]"
