"""What a real Prometheus says of every expression that the project ships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.observability.asking import Prometheus, RefusedError
from tests.observability.expressions import Expression, selectors

_LIST = Path(__file__).with_name("expected_empty.yml")


@dataclass(frozen=True, kw_only=True)
class ExpectedEmpty:
    """What may show nothing while all is well, and why: by the place of an expression, or by selector."""

    always: Mapping[str, str]
    sometimes: Mapping[str, str]  # it depends on how busy the machine is


def expected_empty(file: Path = _LIST) -> ExpectedEmpty:
    """The list, as people wrote it."""
    return ExpectedEmpty(**yaml.safe_load(file.read_text(encoding="utf-8")))


async def refused(prometheus: Prometheus, expressions: Sequence[Expression]) -> list[str]:
    """Those that Prometheus does not understand, with what it says."""
    found = []
    for one in expressions:
        try:
            await prometheus.values(one.text)
        except RefusedError as error:
            found.append(f"{one.where}: {error}\n    {one.text}")
    return found


async def not_as_listed(
    prometheus: Prometheus,
    *,
    shown: Sequence[Expression],
    watched: Sequence[Expression],
    listed: ExpectedEmpty,
) -> list[str]:
    """Where data are missing without a reason that is listed, or there in spite of one; a sentence each.

    Args:
        prometheus: the one to ask.
        shown: expressions that must come to something.
        watched: more of which every selector must match a series, as must those of `shown`: alerts are silent in a
            system in good health, so that what they come to proves nothing.
        listed: what may be empty.
    """
    used = {selector: one.where for one in (*shown, *watched) for selector in selectors(one.text)}
    asked = used.keys() | {one.where for one in shown}
    empty = {one.where: one.text for one in shown if not await prometheus.values(one.text)}
    empty |= {selector: where for selector, where in used.items() if not await prometheus.has_series(selector)}
    may_be = listed.always.keys() | listed.sometimes.keys()
    return [
        *(f"is empty: {name}\n    {empty[name]}" for name in sorted(empty.keys() - may_be)),
        *(f"is listed as empty, but is not: {name}" for name in sorted((listed.always.keys() & asked) - empty.keys())),
        *(f"is listed, but nothing asks for it: {name}" for name in sorted(may_be - asked)),
    ]
