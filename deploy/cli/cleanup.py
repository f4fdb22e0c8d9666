"""`instadistro cleanup`: lets go what is old at once, or says what would go."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from deploy.cli.environment import find_environment
from deploy.cli.jobs.database import open_database
from deploy.cli.jobs.text import plain
from shared.cleanup import CleanedUp, Old, Policy, choose_policies, clean_up, count_old
from shared.settings import Settings, load_settings


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of all policies and nothing else.")
def cleanup(*, dry_run: bool, as_json: bool) -> None:
    """Let go what is older than it is kept: what the scheduler does every CLEANUP_EVERY_S.

    The system may run meanwhile. Each table gives up so many rows at once; a dry run counts up to 100,000 of each.

    Exit status: 0 all of it was done, 1 a policy failed and the others were carried out, or the database is away.
    """
    settings = load_settings(find_environment())
    if dry_run:
        old = asyncio.run(_count(settings))
        _print([_as_old(one) for one in old], "would go", as_json=as_json)
        return
    done = asyncio.run(_carry_out(settings))
    _print([_as_done(one) for one in done], "went", as_json=as_json)
    if any(one.failure for one in done):
        sys.exit(1)


async def _count(settings: Settings) -> list[Old]:
    async with open_database(settings) as pool, pool.acquire() as connection:
        return await count_old(connection, _policies(settings))


async def _carry_out(settings: Settings) -> list[CleanedUp]:
    async with open_database(settings) as pool:
        return [outcome async for outcome in clean_up(pool, _policies(settings))]


def _policies(settings: Settings) -> list[Policy]:
    return choose_policies(archive_after_days=settings.archive_after_days, archive_keep_days=settings.archive_keep_days)


def _as_old(old: Old) -> dict[str, Any]:
    return {**_as_fields(old.policy), "rows": old.rows, "rows_are_exact": old.is_exact}


def _as_done(done: CleanedUp) -> dict[str, Any]:
    what = "partitions" if done.policy.batch is None else "rows"
    return {**_as_fields(done.policy), what: done.went, "more": done.more, "failure": done.failure}


def _as_fields(policy: Policy) -> dict[str, Any]:
    return {"table": policy.name, "kept_days": policy.days, "fate": policy.fate}


def _print(told: Sequence[dict[str, Any]], went: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"{'table':<22}{'kept days':>10}  {went}")
    for one in told:
        days = "for ever" if one["kept_days"] is None else one["kept_days"]
        click.echo(f"{one['table']:<22}{days:>10}  {_figure(one)}")


def _figure(one: dict[str, Any]) -> str:
    figure = f"{one['partitions']:,} partitions" if "partitions" in one else f"{one['rows']:,}"
    if one["fate"] == "archived":
        figure += " to the archive"
    if one.get("more") or not one.get("rows_are_exact", True):
        figure += ", and more"
    return f"{figure}; failed: {plain(one['failure'])}" if one.get("failure") else figure
