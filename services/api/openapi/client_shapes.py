"""The shapes of the Python client: what the gateway answers, as structs, written from its own description."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from typing import Any

_HEAD = '''"""What the gateway answers. Written by `python -m services.api.openapi`; do not edit.

Words of closed sets are plain texts here: a newer gateway may know more of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from instadistro_client.errors import Fault
'''
_REF = "#/components/schemas/"
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_OF_FORMAT = {"uuid": "UUID", "date-time": "datetime"}
# They have a form of their own in the client.
_ITS_OWN = frozenset({"Problem", "Fault", "Pagination"})


def client_shapes(document: Mapping[str, Any]) -> str:
    """The module, as text.

    Args:
        document: the OpenAPI document.
    """
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    names = sorted(name for name in _answered(document, schemas) if "properties" in schemas[name])
    shown = [name for name in names if name not in _ITS_OWN and not _is_page(schemas[name])]
    structs = [_struct(name, schemas[name], schemas) for name in shown]
    listed = "".join(f'    "{name}",\n' for name in shown)
    return "\n\n\n".join([_HEAD.rstrip(), *structs, f"__all__ = [\n{listed}]\n"])


def _answered(document: Mapping[str, Any], schemas: Mapping[str, Any]) -> set[str]:
    """The names of all that good answers hold, however deep."""
    found: set[str] = set()
    waiting = [
        name
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, Mapping)
        for status, answer in operation.get("responses", {}).items()
        if status.startswith("2")
        for name in _references(answer)
    ]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(schemas[name])
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if str(value.get("$ref", "")).startswith(_REF):
            yield value["$ref"].removeprefix(_REF)
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _is_page(schema: Mapping[str, Any]) -> bool:
    return set(schema["properties"]) == {"data", "pagination"}


def _struct(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = [f"class {name}(msgspec.Struct, frozen=True, kw_only=True):", f'    """{schema["description"]}"""', ""]
    lines += [_field(field, of, field in required, schemas) for field, of in schema["properties"].items()]
    return "\n".join(lines)


def _field(name: str, schema: Mapping[str, Any], required: bool, schemas: Mapping[str, Any]) -> str:  # noqa: FBT001
    kind = _kind(schema, schemas)
    if not required and "None" not in kind.split(" | "):
        kind += " | None"
    if keyword.iskeyword(name):
        default = "" if required else ", default=None"
        return f'    {name}_: {kind} = msgspec.field(name="{name}"{default})'
    return f"    {name}: {kind}" + ("" if required else " = None")


def _kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        target = schemas[name]
        return name if "properties" in target else _kind(target, schemas)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_kind(one, schemas) for one in schema["anyOf"]))
    if "enum" in schema:
        return "str"
    match schema.get("type"):
        case "array":
            return f"list[{_kind(schema.get('items', {}), schemas)}]"
        case "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {_kind(values, schemas) if isinstance(values, Mapping) else 'Any'}]"
        case "string":
            return _OF_FORMAT.get(schema.get("format", ""), "str")
        case known:
            return _PLAIN.get(known or "", "Any")
