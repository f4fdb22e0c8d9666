"""`instadistro tokens`: secrets at rest, brought under the first key of TOKEN_KEYS."""

from __future__ import annotations

import asyncio
import json
import sys

import click

from deploy.cli.environment import find_environment
from deploy.cli.jobs.database import open_database
from deploy.cli.jobs.text import plain, progress_of
from deploy.cli.rotation import Rotation, count_by_key, rotate_secrets
from shared.security import TokenCipher
from shared.settings import Settings, load_settings

_MOST_SHOWN = 20


@click.group()
def tokens() -> None:
    """Look after access tokens and the credentials of proxies, as they are stored."""


@tokens.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def rotate(*, dry_run: bool, as_json: bool) -> None:
    """Encrypt every stored secret under the first key of TOKEN_KEYS, and say which keys are still in use.

    The system may run meanwhile. Cut off, it goes on where it was when it is given again.

    Exit status: 0 no other key is in use any more (or would be), 1 some secrets cannot be read, or were put under
    another key meanwhile.
    """
    settings = load_settings(find_environment())
    rotation = asyncio.run(_rotate(settings, dry_run=dry_run))
    (_print_json if as_json else _print)(rotation, ring=list(settings.token_keys), dry_run=dry_run)
    if rotation.unreadable or (rotation.left and not dry_run):
        sys.exit(1)


async def _rotate(settings: Settings, *, dry_run: bool) -> Rotation:
    cipher = TokenCipher(settings.token_keys)
    async with open_database(settings) as pool:
        now = Rotation(key=cipher.current_key_id, by_key=await count_by_key(pool))
        lost = sorted(now.by_key.keys() - settings.token_keys.keys())
        if dry_run:
            now.unreadable = [f"{now.by_key[key]} are under the key {key!r}, which TOKEN_KEYS lacks." for key in lost]
            return now
        with progress_of(now.left, "encrypted anew") as progress:
            return await rotate_secrets(pool, cipher, progress=progress)


def _print_json(rotation: Rotation, *, ring: list[str], dry_run: bool) -> None:
    report = {
        "key": rotation.key,
        "rotated": rotation.rotated,
        "left": rotation.left,
        "dry_run": dry_run,
        "by_key": dict(sorted(rotation.by_key.items())),
        "unused_keys": _unused(rotation, ring),
        "unreadable": rotation.unreadable,
    }
    click.echo(json.dumps(report, indent=2))


def _print(rotation: Rotation, *, ring: list[str], dry_run: bool) -> None:
    if dry_run:
        click.echo(f"Would be encrypted anew, under {plain(rotation.key)}: {rotation.left}.")
    else:
        click.echo(f"Encrypted anew, under {plain(rotation.key)}: {rotation.rotated}.")
    for key_id, count in sorted(rotation.by_key.items()):
        click.echo(f"  {count} under {plain(key_id)}")
    for why in rotation.unreadable[:_MOST_SHOWN]:
        click.echo(f"  {plain(why)}", err=True)
    if len(rotation.unreadable) > _MOST_SHOWN:
        click.echo(f"  {len(rotation.unreadable) - _MOST_SHOWN} more; --json tells of all", err=True)
    unused = _unused(rotation, ring)
    if unused and not dry_run:
        names = ", ".join(plain(name) for name in unused)
        click.echo(f"No longer in use, and may be taken out of TOKEN_KEYS: {names}.")


def _unused(rotation: Rotation, ring: list[str]) -> list[str]:
    return [name for name in ring if name != rotation.key and not rotation.by_key[name]]
