"""What a catalogued query is asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import BenchmarkError
from shared.database import Connection
from shared.database.catalogue import SAMPLES, CataloguedQuery

_SQL = Path(__file__).with_suffix(".sql")
# Where the catalogue's own arguments are enough to plan a statement, but not to run it.
_TO_RUN: Mapping[str, tuple[Any, ...]] = {
    "account_tokens.put_back": ("text", ["account_id"], [b"sealed"]),
    "accounts.update": ("user_id", ["account_id"], [None], ["text"], ["tag"], ["time"]),
    "proxies.put_back": ("text", ["proxy_id"], [b"sealed"]),
    "recurring_jobs.move_on": (["recurring_name"], ["time"], [True]),
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
    return [_value(argument, samples) for argument in _TO_RUN.get(query.name, query.arguments)]


def _value(argument: Any, samples: Mapping[str, Any]) -> Any:
    if isinstance(argument, str):
        return samples[argument]
    if isinstance(argument, Sequence) and not isinstance(argument, bytes):
        return [samples.get(one, one) if isinstance(one, str) else one for one in argument]
    return argument
