"""Holds the gateway's answers against its own description: what is said there of a route is what clients get."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import jsonschema_rs
import msgspec

from services.api.app import ROUTES
from services.api.openapi.document import describe, encode

_PROBLEM = "application/problem+json"


class ContractError(AssertionError):
    """An answer that the description does not know."""


@functools.cache
def document() -> dict[str, Any]:
    """The description of the routes as they are in this process."""
    found: dict[str, Any] = msgspec.json.decode(encode(describe(ROUTES)))
    return found


def check_answer(
    method: str,
    path: str,
    *,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    crash_expected: bool = False,
) -> None:
    """Go on only if the description knows the answer, and it is no crash unless the test makes one.

    Raises:
        ContractError: it does not: the route lacks a status or a problem's code, or its types are not what it sends.
    """
    said = f"{method} {path} answered {status}"
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and not crash_expected:
        raise ContractError(f"{said}: a crash, which only a test that asks for one may see. {_shown(content)}")
    operation = _find(method, path.partition("?")[0])
    if operation is None:
        _check_body(said, _ref("schemas", "Problem"), content, strict=True)
        return
    described = operation["responses"].get(str(status))
    if described is None:
        raise ContractError(
            f"{said}, which {operation['operationId']} does not declare; it has {', '.join(operation['responses'])}."
            f" Add it to the route's statuses=, or its code to problems=. The answer: {_shown(content)}"
        )
    name = described.get("$ref", "").rpartition("/")[2]
    _check_response(said, document()["components"]["responses"][name] if name else described, headers, content)


def _check_response(said: str, described: dict[str, Any], headers: Mapping[str, str], content: bytes) -> None:
    shared = document()["components"]["headers"]
    wanted = {
        name: shared[name] if "$ref" in header else header for name, header in described.get("headers", {}).items()
    }
    missing = [name for name, header in wanted.items() if header["required"] and name not in headers]
    if missing:
        raise ContractError(f"{said} without the header {', '.join(missing)}.")
    kinds = described.get("content", {})
    kind = headers.get("Content-Type", "").partition(";")[0]
    if not kinds:
        if content:
            raise ContractError(f"{said} with a body that is not described: {_shown(content)}")
        return
    if kind not in kinds and f"{kind.partition('/')[0]}/*" not in kinds:
        raise ContractError(f"{said} as {kind or 'nothing'}; described is {', '.join(kinds)}.")
    if kind.endswith("json"):
        _check_body(said, kinds[kind]["schema"], content, strict=kind != _PROBLEM)


def _check_body(said: str, schema: dict[str, Any], content: bytes, *, strict: bool) -> None:
    validator = _validator(msgspec.json.encode(schema, order="sorted"), strict)
    faults = [
        f"{'.'.join(map(str, error.instance_path)) or 'body'}: {error.message}"
        for error in validator.iter_errors(msgspec.json.decode(content))
    ]
    if faults:
        told = "\n  ".join(faults[:5])
        raise ContractError(
            f"{said} with what its description does not fit; mend the answer's type, or add the code to problems=:"
            f"\n  {told}\nThe answer: {_shown(content)}"
        )


@functools.cache
def _validator(schema: bytes, strict: bool) -> Any:  # noqa: FBT001 - the cache's key
    components = {name: _closed(one) if strict else one for name, one in document()["components"]["schemas"].items()}
    whole = {**msgspec.json.decode(schema), "components": {"schemas": components}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _closed(value: Any) -> Any:
    """The schema without room for what it does not name: tests want to know of every field that is not described."""
    if isinstance(value, list):
        return [_closed(part) for part in value]
    if not isinstance(value, dict):
        return value
    closed = {key: _closed(part) for key, part in value.items()}
    return {"additionalProperties": False, **closed} if isinstance(value.get("properties"), dict) else closed


def _find(method: str, path: str) -> dict[str, Any] | None:
    for pattern, operations in _patterns():
        if pattern.fullmatch(path) and method.lower() in operations:
            found: dict[str, Any] = operations[method.lower()]
            return found
    return None


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    # As the server does: a path without names comes before one with them.
    paths = sorted(document()["paths"].items(), key=lambda item: "{" in item[0])
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), operations) for path, operations in paths]


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _shown(content: bytes) -> str:
    return content[:500].decode(errors="replace")
