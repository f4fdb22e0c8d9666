"""`instadistro jobs stats`: what was done, what waits and where, what died."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial

import click
import structlog
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.environment import find_environment
from deploy.cli.jobs.database import open_database
from deploy.cli.jobs.text import moment, plain
from shared.database import Pool
from shared.jobs import DeadCount, DeadFilter, JobStats, NotSentError, Sender, count_dead, read_stats
from shared.outbox import Backlog, read_backlog
from shared.publications import note_broker_emptied
from shared.settings import Settings, load_settings


@dataclass(frozen=True, kw_only=True)
class _Seen:
    types: Mapping[str, JobStats]
    queues: Mapping[str, int] | None  # messages that wait; None if the broker does not answer
    outbox: Backlog
    dead: list[DeadCount]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def stats(*, as_json: bool) -> None:
    """Show what all processes have done, what waits in queues and outbox, and what died."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    seen = asyncio.run(_look(load_settings(find_environment())))
    if as_json:
        click.echo(json.dumps(asdict(seen), indent=2, default=moment))
        return
    console = Console()
    for table in _tables(seen):
        console.print(table)
    oldest_s = seen.outbox.oldest_s
    console.print(f"Outbox: {seen.outbox.due} due{'' if oldest_s is None else f', the oldest for {oldest_s:.1f} s'}.")


async def _look(settings: Settings) -> _Seen:
    async with open_database(settings) as pool:
        queues = await _depths(settings, pool)
        async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            return _Seen(
                types=await read_stats(connection),
                queues=queues,
                outbox=await read_backlog(connection),
                dead=await count_dead(connection, DeadFilter()),
            )


async def _depths(settings: Settings, pool: Pool) -> Mapping[str, int] | None:
    # A queue found missing is made again by whoever looks first, who must then tell of it, as every process does.
    sender = Sender(settings.amqp_url, name="jobs-stats", on_missing=partial(note_broker_emptied, pool))
    try:
        return await sender.depths()
    except NotSentError as error:
        click.echo(f"The queues are not known: {error}", err=True)
        return None
    finally:
        await sender.close()


def _tables(seen: _Seen) -> list[Table]:
    done = Table("type", "completed", "failed", "active")
    for type_, counts in seen.types.items():
        done.add_row(type_, str(counts["completed"]), str(counts["failed"]), str(counts["active"]))
    waiting = Table("queue", "waiting")
    for queue, count in (seen.queues or {}).items():
        # One line for each empty step of the ladder tells nobody anything.
        if count or not queue.startswith("jobs.retry."):
            waiting.add_row(queue, str(count))
    dead = Table("dead", "reason", "jobs", "newest")
    for group in seen.dead:
        dead.add_row(escape(plain(group.type)), escape(plain(group.reason)), str(group.count), moment(group.newest))
    return [table for table in (done, waiting, dead) if table.row_count]
