"""`instadistro backup`: what cannot be had again, in a directory of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from deploy.backup import BackupError, Manifest, back_up, open_servers
from deploy.backup.progress import progress_on_stderr

_NOT_IN_IT = "Not in it: TOKEN_KEYS, CURSOR_SECRET and API_KEY_PEPPER. Keep them apart; without them it is of no use."
_IN_IT = "It holds the private system's secrets.json: whoever has it can read every token. Keep it as you keep keys."


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--with-secrets", is_flag=True, help="Put a private system's secrets.json into it.")
def backup(*, directory: Path, with_secrets: bool) -> None:
    """Keep database and media in the new directory DIRECTORY, as of one moment. The system may run meanwhile.

    It is there once it is whole, and not before. RabbitMQ and Redis hold nothing that is worth keeping.
    """
    manifest = asyncio.run(_back_up(directory.absolute(), with_secrets=with_secrets))
    click.echo(_overview(directory, manifest))
    click.echo(_IN_IT if with_secrets else _NOT_IN_IT)


async def _back_up(directory: Path, *, with_secrets: bool) -> Manifest:
    async with open_servers() as servers:
        if with_secrets and servers.secrets_file is None:
            raise BackupError("Only a private system's secrets can be kept; yours are where your settings come from.")
        secrets_file = servers.secrets_file if with_secrets else None
        return await back_up(servers.settings, directory, progress=progress_on_stderr(), secrets_file=secrets_file)


def _overview(directory: Path, manifest: Manifest) -> str:
    rows = ", ".join(f"{manifest.rows[name]:,} {name}" for name in ("users", "accounts", "publications"))
    size = sum(part.bytes for part in manifest.parts.values()) + manifest.media_bytes
    media = f"{manifest.media_files:,} in it"
    if manifest.media_store == "s3":
        media = "in the bucket, which is yours to keep versions of"
    elif manifest.media_missing:
        media += f"; {manifest.media_missing:,} were named and not there"
    return (
        f"Backed up to {directory}: {size:,} bytes.\n"
        f"  as of      {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC\n"
        f"  database   PostgreSQL {manifest.postgres}, {rows}\n"
        f"  media      {media}\n"
        f"  keys       {', '.join(manifest.token_keys) or 'none in use'}"
    )
