"""Which dead jobs a command means: by ids, by a filter, or all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import click

from shared.jobs import DeadFilter, JobType

F = TypeVar("F", bound=Callable[..., Any])
_TYPES = click.Choice([*(job_type.value for job_type in JobType), "unreadable"])
_AGE = re.compile(r"(\d{1,5})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
#: Most dead jobs that one command deals with.
MOST = 1_000_000


class Moment(click.ParamType[datetime]):
    """A time with its offset, or how long ago."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """An aware time."""
        age = _AGE.fullmatch(value)
        if age is not None:
            return datetime.now(UTC) - timedelta(seconds=int(age[1]) * _SECONDS[age[2]])
        try:
            moment = datetime.fromisoformat(value)
            # Without an offset nobody knows which time is meant.
            aware = moment.astimezone(UTC) if moment.tzinfo else None
        except (ValueError, OverflowError):
            aware = None
        if aware is None:
            self.fail("give an age such as 90m, 2h or 7d, or a time with its offset: 2026-01-31T12:00:00Z", param, ctx)
        return aware


def filter_options(command: F) -> F:
    """Give a command the options of a `DeadFilter`, under the names of its fields."""
    for option in (
        click.option("--until", "died_before", type=Moment(), help="Died before that time or age."),
        click.option("--since", "died_after", type=Moment(), help="Died at that time or age, or later."),
        click.option("--subject", help="What the job was about, such as an account's id."),
        click.option("--reason", help="Such as exhausted, deadline, crash_loop or undecodable."),
        click.option("--type", type=_TYPES, metavar="TYPE", help="Such as health:check, or unreadable."),
    ):
        command = option(command)
    return command


def choice_options(command: F) -> F:
    """Give a command that changes dead jobs its ways of saying which."""
    for option in (
        click.option("--limit", type=click.IntRange(1, MOST), help="So many of them, the oldest, at most."),
        click.option("--all", "everything", is_flag=True, help="Every dead job there is."),
        filter_options,
        click.argument("ids", nargs=-1, type=click.UUID, metavar="[ID]..."),
    ):
        command = option(command)
    return command


def choose(ids: Sequence[UUID], *, everything: bool, limit: int | None, meant: dict[str, Any]) -> DeadFilter | None:
    """What the options mean: a filter, or None for the ids.

    Raises:
        click.UsageError: they mean nothing, or two things at once.
    """
    filtered = any(value is not None for value in meant.values())
    if not (ids or filtered or everything):
        raise click.UsageError("Say which dead jobs: give IDs, a filter such as --type, or --all.")
    if bool(ids) + filtered + everything > 1:
        raise click.UsageError("Give either IDs, or a filter, or --all: together they are not clear.")
    if ids and limit is not None:
        raise click.UsageError("--limit goes with a filter or --all; with IDs, give fewer of them.")
    return None if ids else DeadFilter(**meant)
