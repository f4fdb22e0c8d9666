"""`instadistro accounts`: many accounts at once, through the API."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from shared.errors import InstaDistroError

_DEADLINE_S = 120.0
_CONTENT_TYPES = {".json": "application/json", ".csv": "text/csv"}


@click.group()
def accounts() -> None:
    """Import accounts."""


@accounts.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--api-key", envvar="INSTADISTRO_API_KEY", required=True, help="Also: INSTADISTRO_API_KEY.")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="The gateway.")
@click.option("--dry-run", is_flag=True, help="Only check, and say what would be done.")
def import_file(*, file: Path, api_key: str, url: str, dry_run: bool) -> None:
    """Add and change the accounts of FILE (CSV, or a JSON list in a .json file): all of them or none.

    Columns: username, instagram_user_id, access_token, token_expires_at, tags (parted by semicolons).
    Exit status: 0 imported, 1 refused, with every bad row on a line of its own.
    """
    content_type = _CONTENT_TYPES.get(file.suffix.lower(), "text/csv")
    status, body = asyncio.run(
        post_file(file.read_bytes(), content_type=content_type, api_key=api_key, url=url, dry_run=dry_run)
    )
    if status != 200:  # noqa: PLR2004 - the one good answer
        click.echo(f"Refused: {body.get('detail', f'the server answered {status}')}", err=True)
        for fault in body.get("errors", []):
            click.echo(f"  {_describe(fault)}", err=True)
        sys.exit(1)
    done = "would be" if dry_run else "were"
    counts = f"{body['created']} created, {body['updated']} updated, {body['unchanged']} left as they are"
    click.echo(f"The accounts {done} imported: {counts}.")


async def post_file(
    content: bytes, *, content_type: str, api_key: str, url: str, dry_run: bool
) -> tuple[int, dict[str, Any]]:
    """Send an import; returns status and body of the answer.

    Raises:
        InstaDistroError: no answer came, or one that is not the gateway's. Check the URL.
    """
    import aiohttp  # noqa: PLC0415 - only this command pays for the import

    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": content_type}
    query = {"dry_run": "true"} if dry_run else {}
    target = f"{url.rstrip('/')}/v1/accounts/import"
    timeout = aiohttp.ClientTimeout(total=_DEADLINE_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.post(target, params=query, data=content) as response,
        ):
            body = json.loads(await response.read())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise InstaDistroError(f"no answer of the gateway from {target}: {error or type(error).__name__}") from error
    return response.status, body if isinstance(body, dict) else {}


def _describe(fault: dict[str, Any]) -> str:
    place = ", ".join(
        str(part) for part in (f"line {fault['line']}" if "line" in fault else "", fault.get("field")) if part
    )
    return f"{place or fault.get('path', 'request')}: {fault['message']} [{fault['code']}]"
