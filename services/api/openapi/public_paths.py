"""What needs no API key and is no route of a resource, written down by hand."""

from __future__ import annotations

from typing import Any

from services.api.openapi.headers import header_refs

PUBLIC_RESOURCE = {"name": "public", "description": "What needs no API key."}

_HEADERS = header_refs(["X-Request-ID", "X-Response-Time", "Server-Timing"])


def _get(operation_id: str, summary: str, **more: Any) -> dict[str, Any]:
    operation = {"tags": [PUBLIC_RESOURCE["name"]], "operationId": operation_id, "summary": summary, "security": []}
    return {"get": {**operation, **more}}


def _answer(description: str, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "headers": _HEADERS, "content": {kind: {"schema": schema}}}


def _problem(description: str) -> dict[str, Any]:
    return _answer(description, "application/problem+json", {"$ref": "#/components/schemas/Problem"})


def _state(*states: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"status": {"enum": list(states)}}, "required": ["status"]}


PUBLIC_PATHS: dict[str, Any] = {
    "/media/{key}": _get(
        "open_media",
        "The bytes of a picture or video, or a range of them",
        description="Whoever has the `url` of a medium may open it for about a day: its signature stands for a key.",
        parameters=[
            {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "expires", "in": "query", "required": True, "schema": {"type": "string"}},
            {"name": "signature", "in": "query", "required": True, "schema": {"type": "string"}},
            {"name": "Range", "in": "header", "schema": {"type": "string"}},
        ],
        responses={
            "200": {"description": "The file.", "content": {"image/*": {}, "video/*": {}}},
            "206": {"description": "The part that was asked for.", "content": {"image/*": {}, "video/*": {}}},
            "403": _problem("`media_address_expired`: the address does not open this file, or no longer"),
            "404": _problem("`not_found`: the file is gone"),
            "416": _problem("`range_not_satisfiable`: the file has no such bytes"),
        },
    ),
    "/healthz": _get(
        "is_alive",
        "Whether the process lives",
        responses={"200": _answer("It does.", "application/json", _state("ok"))},
    ),
    "/readyz": _get(
        "is_ready",
        "Whether the process can serve",
        responses={
            "200": _answer("It can.", "application/json", _state("ok")),
            "503": _answer("It cannot; `failed` says why.", "application/json", _state("unavailable")),
        },
    ),
    "/openapi.json": _get(
        "get_description",
        "This document",
        responses={
            "200": _answer("The document.", "application/json", {"type": "object"}),
            "304": {"description": "You have it already."},
        },
    ),
}
