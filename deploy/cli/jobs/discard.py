"""`instadistro jobs discard`: dead jobs that nobody wants back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import click

from deploy.cli.jobs.database import in_transaction, with_pool
from deploy.cli.jobs.text import progress_of
from deploy.cli.jobs.which import MOST, choice_options, choose
from shared import jobs as engine
from shared.database import Connection, Pool
from shared.errors import InstaDistroError
from shared.jobs import DeadFilter, discard_many, read_dead
from shared.jobs.dead import until_now


@click.command()
@choice_options
@click.option("--dry-run", is_flag=True, help="Only say how many are meant.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def discard(
    *, ids: Sequence[UUID], everything: bool, limit: int | None, dry_run: bool, yes: bool, **meant: Any
) -> None:
    """Delete dead jobs for good. Asks before it does."""
    which = choose(ids, everything=everything, limit=limit, meant=meant)
    if which is None:
        count = _require_known(ids)
    else:
        # What dies while the question stands is not what was asked about.
        which = with_pool(partial(until_now, which=which))
        count = with_pool(lambda pool: discard_many(pool, which, limit=limit or MOST, dry_run=True))
    if dry_run:
        click.echo(f"Would be discarded: {count}.")
        return
    if not (yes or count == 0):
        _ask(count)
    if which is None:
        gone = len(in_transaction(lambda tx: engine.discard(tx, ids)))
    else:
        gone = with_pool(lambda pool: _discard_many(pool, which, count))
    click.echo(f"Discarded: {gone}.")


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("There is nobody to ask here; add --yes to discard for good.")
    click.confirm(f"Discard for good: {count}. Go on?", abort=True)


def _require_known(ids: Sequence[UUID]) -> int:
    """How many different ids these are; all of them are there, or nothing is done."""

    async def missing(connection: Connection) -> list[UUID]:
        return [dead_id for dead_id in ids if await read_dead(connection, dead_id) is None]

    for dead_id in in_transaction(missing):
        raise InstaDistroError(f"there is no dead job {dead_id}; nothing was discarded")
    return len(set(ids))


async def _discard_many(pool: Pool, which: DeadFilter, count: int) -> int:
    with progress_of(count, "discarded") as progress:
        return await discard_many(pool, which, limit=count, progress=progress)
