"""Answers: JSON, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

NO_STORE = {"Cache-Control": "no-store"}


def answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A body as JSON. Caches on the way keep nothing: what a tenant sees is for its eyes."""
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers={**NO_STORE, **(headers or {})},
    )


def created(body: Mapping[str, Any], *, path: str) -> web.Response:
    """201, with the place of what was made."""
    return answer(body, status=201, headers={"Location": f"{path}/{body['id']}"})


def no_content() -> web.Response:
    """204."""
    return web.Response(status=204)
