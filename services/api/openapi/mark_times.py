"""Times, marked as such in schemas: msgspec does so only for types that refuse a missing offset by themselves."""

from __future__ import annotations

from typing import Any

from msgspec import inspect

Schema = dict[str, Any]

_COLLECTIONS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)


def mark_times(info: inspect.Type, schema: Schema, components: dict[str, Schema], *, seen: set[str]) -> None:
    """Give every time in `schema`, and in the components it refers to, the format `date-time`.

    Args:
        info: the type that the schema is of.
        schema: changed in place.
        components: the schemas that are referred to, by name; changed in place.
        seen: the names of components that are done.
    """
    if isinstance(info, inspect.Metadata):
        mark_times(info.type, schema, components, seen=seen)
    elif isinstance(info, inspect.DateTimeType):
        schema["format"] = "date-time"
    elif isinstance(info, inspect.UnionType):
        for kind, member in zip(info.types, schema.get("anyOf", ()), strict=False):
            mark_times(kind, member, components, seen=seen)
    elif isinstance(info, _COLLECTIONS):
        mark_times(info.item_type, schema.get("items", {}), components, seen=seen)
    elif isinstance(info, inspect.DictType):
        mark_times(info.value_type, schema.get("additionalProperties", {}), components, seen=seen)
    elif isinstance(info, inspect.StructType):
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            seen.add(name)
            for field in info.fields:
                mark_times(field.type, components[name]["properties"][field.encode_name], components, seen=seen)
