"""The `fields` parameter of reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from deploy.emulator.errors import INVALID_PARAMETER, UNKNOWN_PATH, GraphError

_INNERMOST = re.compile(r"\{[^{}]*\}")
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
    """The names at the top of a list such as `id,owner{id}`; what stands in braces is left to the node.

    Raises:
        GraphError: braces do not match or a name is none.
    """
    flat = fields
    while (shorter := _INNERMOST.sub("", flat)) != flat:
        flat = shorter
    names = [name.strip() for name in flat.split(",") if name.strip()]
    if not all(_NAME.fullmatch(name) for name in names):
        raise GraphError(UNKNOWN_PATH, "Syntax error in the list of fields")
    return names
