"""`instadistro jobs recurring`, `pause`, `resume` and `run`: what comes again and again, and a person's hand on it."""

from __future__ import annotations

import json

import click

from deploy.cli.jobs.database import in_transaction
from deploy.cli.jobs.text import moment, plain
from shared.jobs import (
    JobType,
    RecurringState,
    list_recurring,
    pause_recurring,
    resume_recurring,
    run_recurring_now,
)

_MOST_LISTED = 1_000
_TYPES = click.Choice([job_type.value for job_type in JobType])


@click.command()
@click.option("--type", "type_", type=_TYPES, metavar="TYPE", help="Such as health:check.")
@click.option("--limit", type=click.IntRange(1, _MOST_LISTED), default=20, show_default=True, help="Most jobs listed.")
@click.option("--json", "as_json", is_flag=True, help="Print a list and nothing else.")
def recurring(*, type_: str | None, limit: int, as_json: bool) -> None:
    """List recurring jobs, the next to come first."""
    job_type = None if type_ is None else JobType(type_)
    states = in_transaction(lambda connection: list_recurring(connection, job_type=job_type, limit=limit))
    if as_json:
        click.echo(json.dumps([_as_fields(state) for state in states], indent=2))
        return
    for state in states:
        click.echo(f"{plain(state.name)}  {_rhythm(state)}  {_standing(state)}")
        if state.error:
            click.echo(f"    {plain(state.error)}")
    if not states:
        click.echo("Nothing recurs.")


@click.command()
@click.argument("name")
def pause(*, name: str) -> None:
    """Fire the recurring job NAME no more until it is resumed."""
    in_transaction(lambda tx: pause_recurring(tx, name))
    click.echo(f"{name} is paused.")


@click.command()
@click.argument("name")
def resume(*, name: str) -> None:
    """Let the recurring job NAME fire again, from its next due time on."""
    in_transaction(lambda tx: resume_recurring(tx, name))
    click.echo(f"{name} goes on.")


@click.command()
@click.argument("name")
def run(*, name: str) -> None:
    """Fire the recurring job NAME once more at once. Its due times stay as they are."""
    in_transaction(lambda tx: run_recurring_now(tx, name))
    click.echo(f"{name} runs as soon as a worker is free.")


def _rhythm(state: RecurringState) -> str:
    rule = state.rule
    if rule.every_ms is not None:
        return f"every {rule.every_ms / 1000:g} s"
    return f"cron {plain(rule.cron or '')} {rule.zone}"


def _standing(state: RecurringState) -> str:
    if state.paused_at is not None:
        return f"paused since {moment(state.paused_at)}"
    return f"next {moment(state.next_due_at)}, last {moment(state.last_fired_at) or 'never'}"


def _as_fields(state: RecurringState) -> dict[str, object]:
    return {
        "name": state.name,
        "type": state.type,
        "every_ms": state.rule.every_ms,
        "cron": state.rule.cron,
        "zone": state.rule.zone,
        "misfire": state.rule.misfire,
        "next_due_at": moment(state.next_due_at),
        "last_fired_at": moment(state.last_fired_at),
        "paused_at": moment(state.paused_at),
        "error": state.error,
    }
