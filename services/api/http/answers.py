"""Answers: JSON, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import hdrs, web

T = TypeVar("T")

#: Caches on the way keep nothing: what a tenant sees is for its eyes.
NO_STORE = {"Cache-Control": "no-store"}
_ETAG_BYTES = 16
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T]):
    """What a route answers: JSON of a `T`, ready to be sent."""

    content: bytes  # empty: there is no body
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = None  # its `etag`, where that is known already

    @property
    def etag(self) -> str:
        """The strong validator of this content: equal bytes, equal tag."""
        if self.tag is not None:
            return self.tag
        return f'"{hashlib.blake2b(self.content, digest_size=_ETAG_BYTES).hexdigest()}"'

    def to_response(self) -> web.Response:
        """The answer as it is sent."""
        headers = {**NO_STORE, **self.headers}
        if not self.content:
            return web.Response(status=self.status, headers=headers)
        return web.Response(status=self.status, body=self.content, headers=headers | _JSON)


def answer(body: T, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer[T]:
    """A body as JSON."""
    return Answer(content=msgspec.json.encode(body), status=status, headers=headers or {})


def created(body: T, *, path: str) -> Answer[T]:
    """201, with the place of what was made."""
    made: Any = body
    made_id = made["id"] if isinstance(made, Mapping) else made.id
    return answer(body, status=201, headers={hdrs.LOCATION: f"{path}/{made_id}"})


def no_content() -> Answer[None]:
    """204."""
    return Answer(content=b"", status=204)
