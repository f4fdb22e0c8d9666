"""`instadistro restore`: a backup in place of what is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from deploy.backup import Restored, open_servers, read_manifest, verify_parts
from deploy.backup import restore as restore_backup
from deploy.backup.progress import progress_on_stderr


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only read the backup, and say whether it is whole.")
@click.option("--replace", is_flag=True, help="Throw away what a database in use holds.")
def restore(*, directory: Path, check: bool, replace: bool) -> None:
    """Bring database and media back from the backup DIRECTORY. Every service must be stopped.

    When they start again, each publication that waits is first looked up at the platform: what went live after the
    backup is not published again.
    """
    directory = directory.absolute()
    if check:
        manifest = read_manifest(directory)
        verify_parts(directory, manifest, progress=progress_on_stderr())
        click.echo(f"{directory} is whole: made {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC by {manifest.product}.")
        return
    click.echo(_overview(asyncio.run(_restore(directory, replace=replace))))


async def _restore(directory: Path, *, replace: bool) -> Restored:
    read_manifest(directory)  # before any server is started for it
    async with open_servers(directory) as servers:
        return await restore_backup(servers.settings, directory, replace=replace, progress=progress_on_stderr())


def _overview(restored: Restored) -> str:
    gone_on = restored.gone_on
    lines = [
        f"Restored as of {restored.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC.",
        f"  migrations    {', '.join(restored.migrated) or 'none was missing'}",
        f"  media         {restored.media:,} put back",
        f"  publications  {gone_on.looked_up:,} wait, and are looked up at the platform first",
        f"  schedules     {gone_on.occurrences:,} occurrences came due since",
    ]
    if gone_on.queues:
        lines.append(f"                {gone_on.queues:,} with a post queue are paused: look at their alerts")
    if gone_on.renumbered:
        lines.append("  events        numbered anew for this server")
    return "\n".join([*lines, "Start the services."])
