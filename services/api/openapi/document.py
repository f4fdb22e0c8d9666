"""The OpenAPI document of the gateway, made from its routes and their types."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from services.api.http.problems import CONTENT_TYPE, KINDS
from services.api.openapi.headers import HEADERS, PARAMETERS, problem_headers
from services.api.openapi.operations import describe_operation, problem_response_name, resource_of
from services.api.openapi.public_paths import PUBLIC_PATHS, PUBLIC_RESOURCE
from services.api.openapi.route_problems import route_problems
from services.api.openapi.schemas import Schemas
from services.api.routing import Route

_ABOUT = """
Publishes one post to many Instagram professional accounts: on time, exactly once, through the official API.

- Send an API key with every request: `Authorization: Bearer ids_...`. It belongs to one tenant; what is another's is
  `not_found`.
- Times are RFC 3339 with an offset. Unknown fields and parameters are refused.
- Lists come in pages, newest first unless asked otherwise: follow `pagination.next_cursor`, or the `Link` header.
- Every error is `application/problem+json`. Its `code` never changes; `retryable` tells whether to try again, and
  `Retry-After`, where it stands, when. What each means and what to do: docs/problems.md.
- Every POST takes an `Idempotency-Key`. With the same key and the same request it does nothing twice.
- GET answers have an `ETag`; send it as `If-None-Match` to hear of changes only, and as `If-Match` to change nothing
  that you have not seen.
"""


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """The document of these routes, the same for the same routes."""
    schemas = Schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route, operation_id in zip(routes, _operation_ids(routes), strict=True):
        operation = describe_operation(route, schemas, operation_id=operation_id)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "InstaDistro", "version": version("instadistro"), "description": _ABOUT.strip()},
        "servers": [{"url": "/", "description": "The gateway that serves this document"}],
        "tags": _tags(routes),
        "paths": paths | PUBLIC_PATHS,
        "components": {
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "description": "An API key: `ids_...`"}},
            "schemas": dict(sorted(schemas.components.items())),
            "responses": _problem_responses(routes, schemas),
            "parameters": PARAMETERS,
            "headers": HEADERS,
        },
    }


def encode(document: dict[str, Any]) -> bytes:
    """The document as it is kept: for eyes and diffs."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _operation_ids(routes: Sequence[Route]) -> list[str]:
    """The handlers' names, after their resource where they do not name it; they depend on no other route."""
    ids: list[str] = []
    for route in routes:
        name, resource = route.handler.__name__, resource_of(route)
        chosen = name if resource.removesuffix("s").removesuffix("ie") in name else f"{resource}_{name}"
        ids.append(f"{chosen}_alias" if chosen in ids else chosen)  # one handler under a second path
    return ids


def _tags(routes: Sequence[Route]) -> list[dict[str, str]]:
    modules = {resource_of(route): route.handler.__module__ for route in reversed(routes)}
    resources = dict.fromkeys(resource_of(route) for route in routes)
    tags = [{"name": one, "description": _first_line(sys.modules[modules[one]].__doc__)} for one in resources]
    return [*tags, PUBLIC_RESOURCE]


def _first_line(text: str | None) -> str:
    return inspect.cleandoc(text or "").partition("\n")[0]


def _problem_responses(routes: Sequence[Route], schemas: Schemas) -> dict[str, Any]:
    groups = {
        problem_response_name(status, codes): (status, codes)
        for route in routes
        for status, codes in route_problems(route, schemas).items()
    }
    return {name: _problem_response(*groups[name]) for name in sorted(groups)}


def _problem_response(status: int, codes: list[str]) -> dict[str, Any]:
    told = [f"- `{code}`: {KINDS[code].title}" for code in codes]
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "properties": {"status": {"const": status}, "code": {"enum": codes}},
    }
    return {
        "description": "\n".join(told),
        "headers": problem_headers(codes),
        "content": {CONTENT_TYPE: {"schema": schema}},
    }
