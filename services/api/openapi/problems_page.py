"""The catalogue of problems as docs/problems.md shows it."""

from __future__ import annotations

from services.api.http.problems import KINDS
from services.api.openapi.advice import ADVICE

_HEAD = """# Problems

Every error of the API is `application/problem+json` (RFC 9457). Its `code` never changes: programs go by it, never by
the texts beside it. The members of a problem: [api.md](api.md#problems). Which route can answer with which:
[openapi.json](openapi.json).

`retryable` tells whether the same request may succeed later. Wait for as long as `Retry-After` says where it stands,
else a second, then twice as long each time; and send a POST with the same `Idempotency-Key`.

This page is written by `python -m services.api.openapi`.
"""


def problems_page() -> str:
    """The page: of each code its status, whether to try again, what it means and what to do.

    Raises:
        KeyError: a code has no advice. Write it in services/api/openapi/advice.py.
    """
    parts = [_HEAD]
    for code, kind in KINDS.items():
        retryable = "yes" if kind.retryable else "no"
        parts.append(f"## {code}\n\n{kind.status}, retryable: {retryable}. {kind.title}.\n\n{ADVICE[code]}\n")
    return "\n".join(parts)
