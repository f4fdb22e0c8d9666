"""The schemas of everything clients send and get, from the types themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from services.api.http import Query
from services.api.http.problems import Problem
from services.api.openapi.mark_times import mark_times
from services.api.routing import Route

Schema = dict[str, Any]

_PREFIX = "#/components/schemas/"
_GENERIC = re.compile(r"^(?P<outer>\w+?)_(?P<inner>\w+)_$")


class Schemas:
    """The schemas of routes: one for each type, under one name wherever it is used."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Collect the types of `routes`.

        Raises:
            RuntimeError: two types that are not the same have one name. Rename one.
        """
        types = list(_types(routes))
        schemas, components = msgspec.json.schema_components(types, ref_template=f"{_PREFIX}{{name}}")
        seen: set[str] = set()
        for info, schema in zip(msgspec.inspect.multi_type_info(types), schemas, strict=True):
            mark_times(info, schema, components, seen=seen)
        self._of_type = {repr(one): _renamed(schema) for one, schema in zip(types, schemas, strict=True)}
        self.components = {_clean(name): _renamed(schema) for name, schema in components.items()}
        for name, schema in self.components.items():
            schema["title"] = name
            _mark_needed(schema)
        if len(self.components) < len(components):
            raise RuntimeError(f"the schemas {sorted(components)} do not keep apart under clean names")
        # A query is told parameter by parameter, not as a whole.
        self._queries = {one: self.components.pop(_name(self.of(one))) for one in types if _is_query(one)}

    def of(self, kind: Any) -> Schema:
        """The schema of a type that a route names."""
        members = [self._of_type[repr(member)] for member in _members(kind)]
        return members[0] if len(members) == 1 else {"anyOf": members}

    def of_query(self, kind: type[Query]) -> dict[str, Schema]:
        """The schemas of a query's parameters, by name; a parameter has no `null`: it is left out."""
        properties: dict[str, Schema] = self._queries[kind]["properties"]
        return {name: _given(schema) for name, schema in properties.items()}

    def is_needed(self, kind: Any) -> bool:
        """Whether a body of this type has a field that must be given."""
        schema = self.of(kind)
        return bool(self.components.get(_name(schema), schema).get("required"))

    def required_of(self, kind: type[Query]) -> list[str]:
        """The names of the parameters that must be given."""
        required: list[str] = self._queries[kind]["required"]
        return required

    def holds_time(self, schema: Schema) -> bool:
        """Whether a time can stand in what a schema describes, however deep."""
        return _finds(schema, "date-time", self.components, seen=set())


def _types(routes: Iterable[Route]) -> Iterable[Any]:
    found: dict[str, Any] = {repr(Problem): Problem}
    for route in routes:
        contract = route.contract
        kinds = [contract.query, *route.consumes.values()]
        kinds += [contract.body] if contract.reads_json else []
        kinds += _members(contract.answer) if contract.answers_json else []
        found |= {repr(kind): kind for kind in kinds}
    return found.values()


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)


def _name(schema: Schema) -> str:
    return str(schema.get("$ref", "")).removeprefix(_PREFIX)


def _is_query(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Query)


def _clean(name: str) -> str:
    generic = _GENERIC.match(name)
    return name if generic is None else f"{generic['inner']}{generic['outer']}"


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _REWRITTEN.get(key, _renamed)(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_renamed(part) for part in value]
    return value


def _target(ref: str) -> str:
    return _PREFIX + _clean(ref.removeprefix(_PREFIX))


def _pattern(pattern: str) -> str:
    # Python's anchors, in the dialect of regular expressions that schemas are read with.
    return pattern.replace(r"\A", "^").replace(r"\Z", "$")


_REWRITTEN: dict[str, Callable[[Any], Any]] = {"$ref": _target, "pattern": _pattern}


def _mark_needed(schema: Schema) -> None:
    fields = schema.get("properties", {})
    needed = [name for name, field in fields.items() if field.pop("x-needed", False)]
    for name in needed:
        given = _given(fields[name])
        given.pop("default", None)
        fields[name] = given
    if needed:
        schema["required"] = [*schema.get("required", ()), *needed]


def _given(schema: Schema) -> Schema:
    choices = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if rest.get("default", ...) is None:
        del rest["default"]
    if not choices or "type" in rest:  # the type is said beside the choices: what is read is text, what is meant is not
        return rest
    return {**choices[0], **rest} if len(choices) == 1 else {"anyOf": choices, **rest}


def _finds(value: Any, kind: str, components: dict[str, Schema], *, seen: set[str]) -> bool:
    if isinstance(value, list):
        return any(_finds(part, kind, components, seen=seen) for part in value)
    if not isinstance(value, dict):
        return False
    if value.get("format") == kind:
        return True
    name = _name(value)
    if name and name not in seen:
        seen.add(name)
        if _finds(components[name], kind, components, seen=seen):
            return True
    return any(_finds(part, kind, components, seen=seen) for part in value.values())
