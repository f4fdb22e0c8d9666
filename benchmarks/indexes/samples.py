"""What a catalogued query is asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import BenchmarkError
from shared.database import Connection
from shared.database.catalogue import SAMPLES, CataloguedQuery

_SQL = Path(__file__).with_suffix(".sql")
# Where the catalogue's own arguments are enough to plan a statement, but not to run it. A text that is no sample's name
# stands for itself.
_TO_RUN: Mapping[str, tuple[Any, ...]] = {
    "account_tokens.put_back": ("text", ["account_id"], [b"sealed"]),
    "accounts.update": ("user_id", ["account_id"], ["text"], ["tag"], ["time"], ["proxy_id"], ["protocol_id"]),
    "alerts.raise": (
        ["row_id"],
        ["user_id"],
        ["alert_code"],
        ["warning"],
        [0],
        ["account"],
        ["account_id"],
        ["text"],
        ["text"],
        ["{}"],
    ),
    "alerts.resolve": (["user_id"], "alert_code", "alert_subjects"),
    "analytics_snapshots.store": (
        "user_id",
        "account_id",
        "row_id",
        None,
        "profile",
        None,
        None,
        None,
        "{}",
    ),
    "post_queues.update": ("user_id", "post_queue_id", "text", "wait"),
    "schedules.update": (
        "user_id",
        "schedule_id",
        "text",
        "0 9 * * *",
        None,
        "UTC",
        "shift",
        "first",
        None,
        None,
        "once",
        None,
        None,
        "post_id",
        None,
        0,
        0.0,
        None,
    ),
    "posts.update": ("post_id", "user_id", "image", "text", "media_ids", "{}", "{}"),
    # One that no account leaves through.
    "proxies.delete": ("user_id", "row_id"),
    "proxies.put_back": ("text", ["proxy_id"], [b"sealed"]),
    "proxies.redirect": ("user_id", "proxy_id", "http", "text", 3128),
    "publications.wish": ("user_id", "publication_ids", "hold"),
    "recurring_jobs.move_on": (["recurring_name"], ["time"], [True]),
    "schedule_occurrences.end": ("user_id", "occurrence_id", "distributed", None, "post_id", None, 1, "[]", 0),
    "schedules.break": (["schedule_id"], ["text"]),
    "schedules.give_up": (["schedule_id"],),
    "schedules.move_on": (["schedule_id"], ["time"], ["time"]),
    "webhooks.update": ("user_id", "webhook_id", "text", [], "text", "enabled", True),
}


async def sample_arguments(connection: Connection) -> dict[str, Any]:
    """What the large database answers for each sample of the catalogue.

    Raises:
        BenchmarkError: the catalogue has samples that this file does not know; samples.sql must answer them.
    """
    row = await connection.fetchrow(_SQL.read_text(encoding="utf-8"))
    found = dict(row or {})
    missing = sorted(name for name in SAMPLES if found.get(name) is None)
    if missing:
        raise BenchmarkError(f"The large database answers nothing for: {', '.join(missing)}.")
    return found


def arguments_of(query: CataloguedQuery, samples: Mapping[str, Any]) -> list[Any]:
    """The arguments of a query, in the order of its parameters."""
    to_run = _TO_RUN.get(query.name)
    if to_run is None:
        return [_value(argument, samples) for argument in query.arguments]
    own = {argument: argument for argument in to_run if isinstance(argument, str)}
    return [_value(argument, {**own, **samples}) for argument in to_run]


def _value(argument: Any, samples: Mapping[str, Any]) -> Any:
    if isinstance(argument, str):
        return samples[argument]
    if isinstance(argument, Sequence) and not isinstance(argument, bytes):
        return [samples.get(one, one) if isinstance(one, str) else one for one in argument]
    return argument
