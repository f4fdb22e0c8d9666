"""`instadistro jobs redrive`: dead jobs go back to their queues."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import click

from deploy.cli.jobs.database import in_transaction, with_pool
from deploy.cli.jobs.text import progress_of
from deploy.cli.jobs.which import MOST, choice_options, choose
from shared import jobs as engine
from shared.database import Pool
from shared.jobs import DeadFilter, Redriven, count_dead, redrive_many

_MOST_REFUSED_SHOWN = 20


@click.command()
@choice_options
@click.option("--rate", type=click.FloatRange(min=0.01), help="So many jobs a second; all at once unless given.")
@click.option("--dry-run", is_flag=True, help="Only say what would come of it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def redrive(
    *,
    ids: Sequence[UUID],
    everything: bool,
    limit: int | None,
    rate: float | None,
    dry_run: bool,
    as_json: bool,
    **meant: Any,
) -> None:
    """Send dead jobs back, each with all its attempts before it.

    Exit status: 0 all of them went back, 1 some stay, each with the reason why.
    """
    which = choose(ids, everything=everything, limit=limit, meant=meant)
    if which is None:
        report = in_transaction(lambda tx: engine.redrive(tx, ids, rate_per_s=rate, dry_run=dry_run))
    else:
        report = with_pool(lambda pool: _redrive_many(pool, which, limit=limit, rate=rate, dry_run=dry_run))
    (_print_json if as_json else _print)(report, dry_run=dry_run)
    if report.refused:
        sys.exit(1)


async def _redrive_many(
    pool: Pool, which: DeadFilter, *, limit: int | None, rate: float | None, dry_run: bool
) -> Redriven:
    async with pool.acquire() as connection:
        total = sum(group.count for group in await count_dead(connection, which))
    most = min(total, limit or MOST)
    with progress_of(most, "looked at") as progress:
        return await redrive_many(pool, which, limit=most, rate_per_s=rate, dry_run=dry_run, progress=progress)


def _print_json(report: Redriven, *, dry_run: bool) -> None:
    refused = [{"id": str(refused.id), "reason": refused.reason} for refused in report.refused]
    click.echo(json.dumps({"redriven": report.count, "dry_run": dry_run, "refused": refused}, indent=2))


def _print(report: Redriven, *, dry_run: bool) -> None:
    click.echo(f"{'Would be sent back' if dry_run else 'Sent back'}: {report.count}.")
    if report.refused:
        click.echo(f"{'Would stay' if dry_run else 'Stay'} among the dead: {len(report.refused)}.")
    for refused in report.refused[:_MOST_REFUSED_SHOWN]:
        click.echo(f"  {refused.id}: {refused.reason}")
    if len(report.refused) > _MOST_REFUSED_SHOWN:
        click.echo(f"  {len(report.refused) - _MOST_REFUSED_SHOWN} more; --json tells of all")
