"""`instadistro jobs dead` and `jobs show`: what could not succeed, and why."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID

import click
import msgspec

from deploy.cli.jobs.database import in_transaction
from deploy.cli.jobs.text import moment, plain
from deploy.cli.jobs.which import filter_options
from shared.database import Connection
from shared.errors import InstaDistroError
from shared.jobs import DeadFilter, DeadJob, count_dead, list_dead, read_dead

_MOST_LISTED = 1_000
_MOST_ERROR_CHARS = 160


@click.command()
@filter_options
@click.option("--limit", type=click.IntRange(1, _MOST_LISTED), default=20, show_default=True, help="Most jobs listed.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of all that is known of each, and nothing else.")
def dead(*, limit: int, as_json: bool, **meant: Any) -> None:
    """List dead jobs, newest first."""
    which = DeadFilter(**meant)

    async def read(connection: Connection) -> tuple[list[DeadJob], int]:
        total = sum(group.count for group in await count_dead(connection, which))
        return await list_dead(connection, which, limit=limit), total

    jobs, total = in_transaction(read)
    if as_json:
        click.echo(json.dumps([as_fields(job) for job in jobs], indent=2))
        return
    for job in jobs:
        click.echo(f"{job.id}  {moment(job.died_at)}  {plain(job.type)}  {plain(job.reason)}  {plain(job.subject)}")
        if job.error:
            click.echo(f"    {plain(job.error, most=_MOST_ERROR_CHARS)}")
    click.echo(f"Shown: {len(jobs)} of {total}." if total else "No dead jobs.")


@click.command()
@click.argument("dead_id", metavar="ID", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def show(*, dead_id: UUID, as_json: bool) -> None:
    """Show all that is known of the dead job ID: every attempt, headers and payload."""
    job = in_transaction(lambda connection: read_dead(connection, dead_id))
    if job is None:
        raise InstaDistroError(f"there is no dead job {dead_id}; `instadistro jobs dead` lists them")
    fields = as_fields(job)
    if as_json:
        click.echo(json.dumps(fields, indent=2))
        return
    for name in ("id", "type", "subject", "reason", "error", "priority", "died_at"):
        click.echo(f"{name:<10}{plain(str(fields[name] or '-'))}")
    click.echo(f"attempts  {job.attempt}")
    for failure in job.failures:
        click.echo(f"  {failure.attempt:<8}{moment(failure.at)}  {plain(failure.error)}")
    click.echo("headers")
    for name, value in job.headers.items():
        click.echo(f"  {plain(name)}: {plain(value)}")
    click.echo("payload")
    click.echo(f"  {plain(job.payload.decode(errors='backslashreplace'))}")


def as_fields(job: DeadJob) -> dict[str, Any]:
    """A dead job as JSON; a payload that is none itself stands under `payload_base64`."""
    try:
        payload = {"payload": msgspec.json.decode(job.payload)}
    except (msgspec.MsgspecError, ValueError, RecursionError):
        payload = {"payload": None, "payload_base64": base64.b64encode(job.payload).decode()}
    return {
        "id": str(job.id),
        "type": job.type,
        "subject": job.subject,
        "reason": job.reason,
        "error": job.error,
        "attempt": job.attempt,
        "priority": job.priority.name.lower(),
        "died_at": msgspec.to_builtins(job.died_at),
        "failures": msgspec.to_builtins(job.failures),
        "headers": dict(job.headers),
        **payload,
    }
