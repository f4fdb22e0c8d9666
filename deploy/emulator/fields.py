"""The `fields` parameter of reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from deploy.emulator.error_table import INVALID_PARAMETER, UNKNOWN_PATH
from deploy.emulator.errors import GraphError

_NAME = re.compile(r"[a-z_0-9]+")


def project(node: Mapping[str, Any], *, known: Collection[str], fields: str | None, node_type: str) -> dict[str, Any]:
    """The asked fields of a node; `id` always, fields without a value never.

    Raises:
        GraphError: a field this kind of node does not have, or a list that cannot be read.
    """
    names = field_names(fields or "")
    for name in names:
        if name not in known:
            raise GraphError(
                INVALID_PARAMETER, f"(#100) Tried accessing nonexisting field ({name}) on node type ({node_type})"
            )
    shown = {name: node[name] for name in names if node.get(name) is not None}
    return shown if "id" in shown or "id" not in node else {**shown, "id": node["id"]}


def field_names(fields: str) -> list[str]:
    """The names at the top of a list such as `id,owner{id}`.

    Raises:
        GraphError: braces do not match or a name is none.
    """
    return [name for name, _ in _parts(fields)]


def subfields(fields: str, name: str) -> str:
    """What stands in braces after a name of the list; empty if nothing does.

    Raises:
        GraphError: braces do not match or a name is none.
    """
    return next((inner for each, inner in _parts(fields) if each == name), "")


@lru_cache(maxsize=256)  # a client asks for the same fields again and again
def _parts(fields: str) -> tuple[tuple[str, str], ...]:
    return tuple(_named(part) for part in _split(fields))


def _named(part: str) -> tuple[str, str]:
    name, brace, inner = part.partition("{")
    if not _NAME.fullmatch(name) or (brace and not inner.endswith("}")):
        raise GraphError(UNKNOWN_PATH, "Syntax error in the list of fields")
    return name, inner[:-1]


def _split(fields: str) -> Iterator[str]:
    depth, start = 0, 0
    for place, letter in enumerate(fields + ","):
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            if part := fields[start:place].strip():
                yield part
            start = place + 1
    if depth:
        raise GraphError(UNKNOWN_PATH, "Syntax error in the list of fields")
